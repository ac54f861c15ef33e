"""The limits of a recipe's text, to the one value beyond, and where a text that breaks one is pointed at."""

from __future__ import annotations

from typing import Annotated

import pytest
from annotated_types import Le

from tests.zoo.conftest import Write
from zoo.recipes.check import check
from zoo.recipes.locate import Problem, locate_error
from zoo.recipes.recipe import load_recipe
from zoo.recipes.schema import check_table, parameters_of
from zoo.recipes.source import MAX_DEPTH, MAX_VALUES, MergeError, RecipeSyntaxError, Source, parse
from zoo.recipes.wording import value_name
from zoo.registry.catalog import Catalog


def problem_of(text: str) -> Problem:
    with pytest.raises((MergeError, RecipeSyntaxError)) as refused:
        parse(Source("r.toml", text))
    return locate_error(refused.value)


def test_the_first_value_too_many_is_named() -> None:
    """The table itself and the list count as values; what stands behind the list comes too late to be the first."""
    most = MAX_VALUES - 2
    assert len(parse(Source("r.toml", f"a = [{'1,' * most}]"))["a"]) == most
    problem = problem_of(f"b = 0\na = [{'1,' * most}]\nc = 1\n")
    assert (problem.line, problem.column, problem.code) == (2, 6 + 2 * (most - 1), "too-many")


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1])
def test_an_integer_has_64_bits(number: int) -> None:
    assert parse(Source("r.toml", f"a = [{2**63 - 1}, {-(2**63)}]"))["a"] == [2**63 - 1, -(2**63)]
    problem = problem_of(f"a = [1, {number}]")
    assert (problem.line, problem.column, problem.width) == (1, 9, len(str(number)))


def test_the_deepest_that_is_allowed() -> None:
    inside = MAX_DEPTH - 1  # below the key itself
    assert parse(Source("r.toml", f"a = {'[' * inside}1{']' * inside}"))
    assert parse(Source("r.toml", f"a{'.a' * inside} = 1"))
    assert problem_of(f"a = {'[' * (MAX_DEPTH + 1)}{']' * (MAX_DEPTH + 1)}").column == 5
    assert problem_of("a = [[], []]\nb = " + "{b = " * MAX_DEPTH + "1" + "}" * MAX_DEPTH).line == 2


def test_a_missing_comma_is_shown_where_it_is_missing() -> None:
    """An array that ends on another line is shown at its beginning."""
    assert (problem_of("a = [1 2]").column, problem_of("a = [1\nb = 2").column) == (8, 5)
    assert problem_of('a = ["]", [1], 2\nb = 2').column == 5


def test_a_wrong_value_before_a_comment(write: Write) -> None:
    text = 'model = "tiny_mlp"\ntask = "curve"\ndataset = "sine_curve"\noptimizer = "adam"\n[train]\nepochs = 1\n'
    recipe = load_recipe(write("r.toml", text + 'freeze = ["a", 3]  # "a list", and a comment\n'))
    assert [(problem.line, problem.column, problem.width) for problem in check(recipe, Catalog())] == [(7, 16, 1)]


def test_a_misspelt_parent_is_one_mistake(write: Write) -> None:
    """What the parent would have brought is not missing: tables, a component's name, the length of the training."""
    text = 'extendsx = "sine"\n[model]\nwidth = 3\n[train]\nseed = 1\n[[train.groups]]\nlr = 1.0\n'
    problems = check(load_recipe(write("r.toml", text)), Catalog())
    assert [(problem.line, problem.column, problem.suggestion) for problem in problems] == [(1, 1, "extends")]


def test_misspelt_weights_are_one_mistake(write: Write) -> None:
    """The run folder would have brought task, model and dataset."""
    problems = check(load_recipe(write("r.toml", '[initt]\nfrom = "runs/a/1"\n[eval]\nsplit = "val"\n')), Catalog())
    assert [(problem.line, problem.column, problem.suggestion) for problem in problems] == [(1, 2, "init")]


def _nested(pairs: list[tuple[int, int]], share: Annotated[float, Le(1)], sizes: list[Annotated[int, Le(9)]]) -> None:
    """A component with values inside of values."""


def test_the_innermost_wrong_value_is_named() -> None:
    parameters = parameters_of(_nested)
    (mistake,) = check_table({"pairs": [[1, 2], [3, "x"]]}, parameters, "it")
    assert (mistake.path, mistake.code) == (("pairs", 1, 1), "wrong-type")
    (mistake,) = check_table({"sizes": [1, 10]}, parameters, "it")
    assert (mistake.path, mistake.code) == (("sizes", 1), "wrong-value")
    assert mistake.message == "`sizes[1]` of it is 10; it should be at most 9"
    (mistake,) = check_table({"share": 1.5}, parameters, "it")
    assert (mistake.code, mistake.message) == (
        "wrong-value",
        "`share` of it is 1.5; it should be at most 1",
    )


def test_a_long_value_is_cut_short() -> None:
    assert value_name([1] * 100).endswith("...") and len(value_name([1] * 100)) == 60
    assert value_name("x" * 58) == f'the string "{"x" * 58}"'
