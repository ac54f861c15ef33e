"""One mistake in a recipe is one error, at its token, with what was meant: a thousand mutants of the shipped ones."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from tests.zoo.recipe_mutants import Mutant, mutants
from zoo.cli.check import _problems
from zoo.recipes.recipe import load_recipe
from zoo.recipes.shipped import shipped_recipes
from zoo.registry.catalog import Catalog

SAMPLE = 1000


def all_mutants() -> list[Mutant]:
    catalog, shipped = Catalog(), shipped_recipes()
    return [
        mutant
        for name, file in shipped.items()
        for mutant in mutants(name, file.read_text(), load_recipe(file, shipped=shipped), catalog)
    ]


def fault(mutant: Mutant, folder: Path) -> str:
    """What is said of a mutant and should not be, or nothing."""
    file = folder / f"{mutant.recipe}.toml"
    before = file.read_text()
    file.write_text(mutant.whole)
    try:
        problems = _problems(str(file))
    finally:
        file.write_text(before)
    if len(problems) != 1:
        return f"{len(problems)} errors: {[problem.message for problem in problems]}"
    (problem,) = problems
    line = mutant.whole.count("\n", 0, mutant.start) + 1
    column = mutant.start - mutant.whole.rfind("\n", 0, mutant.start)
    width = problem.width if "quote" in mutant.kind else len(mutant.text)  # a string without its end has no width
    if (problem.line, problem.column, problem.width) != (line, column, width) or problem.file != str(file):
        return f"at {problem.line}:{problem.column}, {problem.width} wide, for {line}:{column}, {width}"
    if mutant.suggestion and problem.suggestion != mutant.suggestion:
        return f"{problem.suggestion} for {mutant.suggestion}: {problem.message}"
    return ""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for file in shipped_recipes().values():
        (tmp_path / file.name).write_text(file.read_text())
    return tmp_path


def test_one_mistake_is_one_error_at_its_token(folder: Path) -> None:
    """The carets are held to places that regular expressions found."""
    chosen = random.Random(0).sample(all_mutants(), SAMPLE)
    faults = [(mutant, said) for mutant in chosen if (said := fault(mutant, folder))]
    shown = "\n".join(f"{mutant.kind} in {mutant.recipe}: {mutant.text}: {said}" for mutant, said in faults[:20])
    assert len(faults) <= SAMPLE // 100, f"{len(faults)} of {SAMPLE}\n{shown}"
    assert len(Counter(mutant.kind for mutant in chosen)) == 6
