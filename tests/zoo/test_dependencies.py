"""What is imported is declared in pyproject.toml, and what is declared is imported.

A package that merely comes along with another would be missed on the day when the other goes without it.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
STRANGERS = [file.parent for file in (ROOT / "tests").rglob("pyproject.toml")]  # have dependencies of their own
OURS = {"zoo", "tests", "benchmarks", "experiments", "docs"}
OURS |= {path.stem for place in (ROOT / "plugins", *STRANGERS) for path in place.iterdir()}

TOOLS = {
    "build": "makes the wheel that tests/zoo/test_wheel.py looks into",
    "hatchling": "is what `build` builds with",
    "mypy": "is a command",
    "pytest-xdist": "is pytest's option -n",
    "ruff": "is a command",
    "zensical": "is a command",
}


def canonical(name: str) -> str:
    """Return the form in which names of distributions are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def distributions(requirements: Iterable[str]) -> set[str]:
    """Return the names of requirements, which are as in `torch>=2.11`."""
    return {canonical(re.split(r"[^\w.-]", requirement, maxsplit=1)[0]) for requirement in requirements}


OWNERS = {module: set(map(canonical, names)) for module, names in packages_distributions().items()}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DECLARED = distributions(PROJECT["dependencies"])
EXTRAS = {name: distributions(requirements) for name, requirements in PROJECT["optional-dependencies"].items()}
TEST, DOCS = EXTRAS.pop("test"), EXTRAS.pop("docs")
FOR_USERS = set().union(*EXTRAS.values())


def python_files(*folders: str) -> list[Path]:
    files = [file for folder in folders for file in sorted((ROOT / folder).rglob("*.py"))]
    return [file for file in files if not any(file.is_relative_to(stranger) for stranger in STRANGERS)]


SHIPPED = python_files("zoo", "plugins")
DEVELOPED = python_files("tests", "benchmarks", "experiments", "docs")


@cache
def imports(file: Path) -> set[tuple[str, bool]]:
    """Return the top-level package of each import, and whether an error of ours helps where it is not installed."""
    nodes = list(ast.walk(ast.parse(file.read_text())))
    guards = [node for node in nodes if isinstance(node, ast.Try) and any(map(helps, node.handlers))]
    guards += [node for node in nodes if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    helped = {node for guard in guards for statement in guard.body for node in ast.walk(statement)}
    modules = [(alias.name, node in helped) for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    modules += [(str(node.module), node in helped) for node in nodes if isinstance(node, ast.ImportFrom)]
    return {(module.partition(".")[0], is_helped) for module, is_helped in modules}


def helps(handler: ast.ExceptHandler) -> bool:
    """Whether an `except ImportError` raises another error, rather than none or the same again."""
    caught = {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)} if handler.type else set()
    raised = [node.exc for statement in handler.body for node in ast.walk(statement) if isinstance(node, ast.Raise)]
    return bool(caught & {"ImportError", "ModuleNotFoundError"}) and any(raised)


def undeclared(files: Iterable[Path], declared: set[str], optional: set[str] = frozenset()) -> set[tuple[str, str]]:
    """Return file and package of what is imported from no declared distribution, nor from an optional one with help."""
    return {
        (str(file), module)
        for file in files
        for module, helped in imports(file)
        if module not in OURS | sys.stdlib_module_names
        if not OWNERS.get(module, set()) & (declared | (optional if helped else set()))
    }


def unused(files: Iterable[Path], declared: set[str]) -> set[str]:
    return declared.difference(*(OWNERS.get(module, ()) for file in files for module, _ in imports(file)))


def test_what_the_package_imports_is_declared() -> None:
    """`zoo.testing` is the exception: pytest itself loads it, as its plugin."""
    kit = [file for file in SHIPPED if file.is_relative_to(ROOT / "zoo" / "testing")]
    assert undeclared(set(SHIPPED) - set(kit), DECLARED, FOR_USERS) == set()
    assert undeclared(kit, DECLARED | {"pytest"}, FOR_USERS) == set()


def test_what_tests_and_scripts_import_is_declared() -> None:
    assert undeclared(DEVELOPED, DECLARED | TEST) == set()


def test_what_is_declared_is_imported() -> None:
    assert unused(SHIPPED, DECLARED | FOR_USERS) == set()
    assert unused([*SHIPPED, *DEVELOPED], TEST | DOCS) == set(TOOLS)


GUARDED = "try:\n    import optuna\nexcept {}:\n    {}"


@pytest.mark.parametrize(
    ("code", "mistakes", "useless"),
    [
        ("import torch.nn\nimport os.path, zoo.errors\nfrom optuna import trial", {"optuna"}, set()),
        ("def later():\n    from torch import nn\n    import nobodys", {"nobodys"}, set()),
        (GUARDED.format("ImportError as error", "raise InputError('') from error"), set(), {"torch"}),
        (GUARDED.format("(ModuleNotFoundError, OSError)", "raise InputError('')"), set(), {"torch"}),
        (GUARDED.format("ImportError", "optuna = None"), {"optuna"}, {"torch"}),
        (GUARDED.format("ImportError", "raise"), {"optuna"}, {"torch"}),
        (GUARDED.format("ValueError", "raise InputError('')"), {"optuna"}, {"torch"}),
        ("if TYPE_CHECKING:\n    import optuna", set(), {"torch"}),
        ("import optuna\n" + GUARDED.format("ImportError", "raise InputError('')"), {"optuna"}, {"torch"}),
    ],
)
def test_the_check_itself(tmp_path: Path, code: str, mistakes: set[str], useless: set[str]) -> None:
    """Cases worked out by hand, where torch is declared and Optuna optional."""
    file = tmp_path / "code.py"
    file.write_text(code)
    assert {module for _, module in undeclared([file], {"torch"}, {"optuna"})} == mistakes
    assert unused([file], {"torch"}) == useless
