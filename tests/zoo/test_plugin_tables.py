"""Tables that a plugin adds to recipes: checked as the core's are, and by what they say of themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.conftest import Command
from tests.zoo.conftest import Write
from zoo import Figure, Mistake, hookimpl
from zoo.recipes.check import check
from zoo.recipes.recipe import load_recipe
from zoo.registry.catalog import Catalog
from zoo.registry.plugins import listening

BASE = 'task = "curve"\nmodel = "tiny_mlp"\ndataset = "sine_curve"\noptimizer = "adam"\n[train]\nepochs = 1\n'


@dataclass(frozen=True)
class Rounds:
    """`[rounds]`: rates by name, each tried in turn."""

    rates: dict[str, Any]
    until: Figure = "val/loss"
    others: dict[str, Any] | None = None
    limits: list[float] = field(default_factory=list)

    @staticmethod
    def mistakes(
        recipe: Mapping[str, Any], mistakes_with: Callable[[Mapping[str, Any]], list[Mistake]]
    ) -> Iterator[Mistake]:
        rates = recipe["rounds"].get("rates")
        for name, rate in rates.items() if isinstance(rates, dict) else ():
            for mistake in mistakes_with({"optimizer.lr": rate}):
                yield Mistake(mistake.code, f"round: {mistake.message}", ("rates", name), help="a rate")


class Plugin:
    @hookimpl
    def zoo_tables(self) -> Mapping[str, Callable[..., Any]]:
        return {"rounds": Rounds}


@pytest.fixture(autouse=True)
def rounds() -> Iterator[None]:
    with listening(Plugin(), "rounds"):
        yield


def problems(write: Write, text: str, quick: bool = False) -> list[tuple[int, int, str, str]]:
    recipe = load_recipe(write("r.toml", BASE + text), quick=quick)
    return [(one.line, one.column, one.code, one.message) for one in check(recipe, Catalog())]


def test_a_table_says_itself_what_is_wrong_with_it(write: Write) -> None:
    """By its own words in place of its type's, which refuses a date as well; with what it helps to know."""
    text = '[rounds]\nuntil = "val/loss"\n[rounds.rates]\n"0.1" = 0.1\nlow = 1979-05-27\nhigh = "x"\n'
    assert [(line, column, message.partition(":")[0]) for line, column, _, message in problems(write, text)] == [
        (11, 7, "round"),
        (12, 8, "round"),
    ]
    assert check(load_recipe(write("r.toml", BASE + text)), Catalog())[0].help == "a rate"


def test_what_is_wrong_with_the_recipe_is_not_said_again(write: Write) -> None:
    """Its own mistake, and not once more for each round."""
    text = "sed = 1\n[rounds.rates]\na = 0.1\nb = 0.2\n"
    assert [(line, code) for line, _, code, _ in problems(write, text)] == [(7, "unknown-key")]


def test_types_are_checked_beside(write: Write) -> None:
    """All at once: a key, a type, and a value that the table refuses."""
    text = 'seed = 1\n[rounds]\nlimit = 1\nlimits = "x"\nrates = { a = true }\n'
    assert [(line, code) for line, _, code, _ in problems(write, text)] == [
        (9, "unknown-key"),
        (10, "wrong-type"),
        (11, "wrong-type"),
    ]


def test_a_setting_may_name_a_figure(write: Write) -> None:
    """Where it is stated, else at the table: another split is scored than that of the default."""
    assert problems(write, '[rounds]\nuntil = "val/lss"\nrates = {}\n') == [
        (8, 9, "unknown-figure",
         "`until` of [rounds] is `val/lss`, which is no figure of this recipe, whose figures are `val/loss`"),
    ]  # fmt: skip
    assert [place[:3] for place in problems(write, '[eval]\nsplit = "test"\n[rounds]\nrates = {}\n')] == [
        (9, 2, "unknown-figure")
    ]


@pytest.mark.parametrize("key", ["rates", "others"])
def test_dots_divide_nothing_in_a_table_of_the_author(write: Write, key: str) -> None:
    """In `[quick]`, whose keys are divided otherwise."""
    text = f'[rounds.rates]\n[quick]\n"train.epochs" = 3\n[quick.rounds.{key}]\n"a.b" = 0.1\n'
    assert problems(write, text, quick=True) == []
    recipe = load_recipe(write("r.toml", BASE + text), quick=True)
    assert recipe.table["rounds"][key] == {"a.b": 0.1}
    assert recipe.table["train"]["epochs"] == 3


def test_what_stands_in_it_is_explained(write: Write, zoo: Command) -> None:
    """`zoo check --explain` shows its defaults, too; its keys are advice where they stand elsewhere."""
    explained = zoo("check", "--explain", write("r.toml", BASE + "[rounds]\nrates = {}\n")).stdout
    assert "rounds.until" in explained and '"val/loss"' in explained
    finished = zoo("check", write("r.toml", BASE + 'until = "val/loss"\n[rounds]\nrates = {}\n'))
    assert "`until` belongs into [rounds]" in finished.stderr


def test_an_option_that_is_a_setting_of_it_is_told_so(zoo: Command) -> None:
    finished = zoo("run", "tiny_curve", "--rounds.until=val/loss")
    assert finished.stderr.endswith("help: did you mean `rounds.until=val/loss`?\n")
