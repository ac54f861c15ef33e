"""The rules that every stranger's package keeps: public names alone, few lines, and the conformance kit."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import zoo
from tests.strangers.conftest import HERE, PACKAGES, strangers
from tests.zoo.test_architecture import imports
from zoo.testing import checks_of

MOST_LINES = 120


def files_of(package: str) -> list[Path]:
    return sorted((HERE / package / package).rglob("*.py"))


def lines_of_code(file: Path) -> int:
    """Lines that hold more than blanks, comments and docstrings."""
    tree = ast.parse(file.read_text())
    owners = [tree, *(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef))]
    docstrings = [owner.body[0] for owner in owners if ast.get_docstring(owner)]
    left_out = {line for node in docstrings for line in range(node.lineno, (node.end_lineno or 0) + 1)}
    lines = enumerate(file.read_text().splitlines(), 1)
    return sum(bool(text.partition("#")[0].strip()) for number, text in lines if number not in left_out)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_stranger_imports_only_public_names(package: str) -> None:
    """Of zoo's names; and no first-party plugin or other stranger."""
    for file in files_of(package):
        for module, name in imports(file):
            root = module.partition(".")[0]
            if root == "zoo":
                assert module == "zoo" and name in ("", *zoo.__all__), f"{file.name}: `from {module} import {name}`"
            assert root == package or not root.startswith("zoo_"), f"{file.name} imports another plugin, `{module}`"
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "zoo":
                assert node.attr in zoo.__all__, f"{file.name}: `zoo.{node.attr}` is no public name"


@pytest.mark.parametrize("package", PACKAGES)
def test_a_stranger_needs_few_lines(package: str) -> None:
    """Fewer than 120, as the core's own lines are counted."""
    assert sum(map(lines_of_code, files_of(package))) < MOST_LINES


@pytest.mark.parametrize("package", PACKAGES)
def test_a_stranger_passes_the_conformance_kit(package: str, tmp_path: Path) -> None:
    """Under the name of its entry point, which is the package's without `zoo_`."""
    failures = []
    with strangers(tmp_path, package):
        for check in checks_of(package.removeprefix("zoo_")):
            try:
                check()
            except pytest.skip.Exception:
                pass
            except (Exception, pytest.fail.Exception) as failure:
                failures.append(f"{check}: {failure}")
    assert not failures, "\n".join(failures)
