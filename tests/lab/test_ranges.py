"""What a sweep varies, where several keys meet, and where the recipe has mistakes of its own."""

from __future__ import annotations

import pytest

from tests.zoo.conftest import Write
from zoo.recipes.check import check
from zoo.recipes.recipe import load_recipe
from zoo.registry.catalog import Catalog

BASE = 'task = "curve"\nmodel = "tiny_mlp"\ndataset = "sine_curve"\noptimizer = "adam"\n[train]\nepochs = 1\n'


def places(write: Write, text: str) -> list[tuple[int, int, str]]:
    problems = check(load_recipe(write("r.toml", text)), Catalog())
    return [(problem.line, problem.column, problem.code) for problem in problems]


def test_a_mistake_of_the_recipe_is_not_the_sweep_s(write: Write) -> None:
    text = BASE + 'sed = 1\n[sweep.over]\n"train.seed" = [0, 1]\n'
    assert places(write, text) == [(7, 1, "unknown-key")]


def test_each_wrong_value_of_each_key_is_shown_once_at_its_place(write: Write) -> None:
    """Also the first of a key, which stands beside all values of the others."""
    text = BASE + '[sweep.over]\n"train.seed" = [0, 1]\n"optimizer.lr" = ["x", 0.1, "y"]\n"train.batch_size" = [0]\n'
    assert places(write, text) == [(9, 19, "wrong-type"), (9, 29, "wrong-type"), (10, 23, "wrong-value")]


@pytest.mark.usefixtures("fake_parts")
def test_values_that_do_not_go_together(write: Write) -> None:
    """The second model does not have the first one's parameter; the parameter is what is shown."""
    text = BASE + '[sweep.over]\n"model.name" = ["parts", "tiny_mlp"]\n"model.mode" = ["nearest"]\n'
    assert places(write, text) == [(9, 1, "unknown-key")]


def test_what_is_right_passes(write: Write) -> None:
    text = BASE + '[sweep.over]\n"optimizer.lr" = { low = 1e-4, high = 0.1, log = true }\n"train.seed" = [0, 1]\n'
    assert places(write, text + 'model = [{ name = "tiny_mlp" }, { name = "tiny_mlp", width = 3 }]\n') == []


def test_a_wrong_first_value_beside_a_range(write: Write) -> None:
    text = BASE + '[sweep.over]\n"train.seed" = { low = 0, high = 2 }\n"optimizer.lr" = ["x", 0.1]\n'
    assert places(write, text) == [(9, 19, "wrong-type")]


@pytest.mark.usefixtures("fake_parts")
def test_values_that_need_each_other(write: Write) -> None:
    """The recipe's own model has no such parameter; the varied one has."""
    assert places(write, BASE + '[sweep.over]\n"model.name" = ["parts"]\n"model.mode" = ["nearest"]\n') == []
