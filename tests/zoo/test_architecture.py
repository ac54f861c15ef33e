"""The arrows of the design: what may import what, how long a file may be, and what may not be imported at all."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import zoo

ROOT = Path(__file__).parent.parent.parent
CORE = sorted((ROOT / "zoo").rglob("*.py"))
PLUGINS = sorted((ROOT / "plugins").rglob("*.py"))
THIRD_PARTY = sorted((ROOT / "tests" / "third_party").rglob("*.py"))
MOST_LINES = 350


def named(file: Path) -> str:
    return str(file.relative_to(ROOT))


def imports(file: Path) -> Iterator[tuple[str, str]]:
    """Module and name of each import: `from zoo import model` is `("zoo", "model")`, `import torch` `("torch", "")`."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{named(file)}: imports are absolute here"
            yield from ((node.module or "", alias.name) for alias in node.names)


def test_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    """import-linter's contracts are in pyproject.toml: each layer imports only those below it."""
    from importlinter.cli import lint_imports

    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("importlinter.cli.logging_config.dictConfig", lambda config: None)  # it would silence all else
    assert lint_imports(no_cache=True) == 0, "lint-imports says which import is wrong"


@pytest.mark.parametrize("file", [*PLUGINS, *THIRD_PARTY], ids=named)
def test_a_plugin_imports_only_public_names(file: Path) -> None:
    """A first-party plugin can do nothing that a stranger's could not."""
    for module, name in imports(file):
        if module.partition(".")[0] == "zoo":
            assert module == "zoo", f"`{module}` is zoo's inside"
            assert name in zoo.__all__, f"`from zoo import {name}` is no public name"


def test_every_public_name_is_there() -> None:
    assert all(hasattr(zoo, name) for name in zoo.__all__)
    assert sorted(zoo.__all__, key=lambda name: (not name.isupper(), name)) == zoo.__all__


@pytest.mark.parametrize("file", [*CORE, *PLUGINS], ids=named)
def test_a_file_is_short(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= MOST_LINES


PLUGIN_MODULES = [point.value for point in entry_points(group="zoo") if point.dist and point.dist.name == "zoo-recipes"]


@pytest.mark.parametrize("module", ["zoo", "zoo.testing", *PLUGIN_MODULES])
def test_importing_is_cheap(module: str) -> None:
    """`zoo list` imports every plugin, and pytest imports the conformance kit in every run of every project."""
    code = f"import {module}, sys; print(*{{'torch', 'numpy', 'pydantic', 'torchvision'}} & set(sys.modules))"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout.split() == []
