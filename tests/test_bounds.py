"""No bound of a recipe is met without training, and the quick form of every recipe reaches its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import zoo
from tests.bounds import RECIPES, bounds_of, by_itself
from tests.test_recipes import skip_without_data
from zoo.recipes.recipe import has_quick

# Of a few seconds each: basics and vision, seq. The rest take up to two minutes; detection has a shorter form below.
FAST = ("digits", "sine", "weight_decay")
# Scored untrained within seconds: the rest look through many pictures, or translate until the longest sentence's end.
CHEAP = (
    *FAST, "softmax", "mlp", "dropout", "lenet", "batch_norm", "rnn", "gru", "lstm", "deep_lstm", "gpt", "book_pairs",
    "seq2seq", "attention", "transformer",
)  # fmt: skip


def stated(quick: bool) -> list[str]:
    """The recipes that state bounds of this form."""
    there = [name for name, file in RECIPES.items() if not quick or has_quick(file, RECIPES)]
    return [name for name in there if bounds_of(name, quick)]


def long(*values: Any) -> Any:
    return pytest.param(*values, marks=[pytest.mark.slow, pytest.mark.minutes])


@pytest.mark.parametrize(
    ("name", "quick"),
    [(name, quick) if name in CHEAP else long(name, quick) for quick in (True, False) for name in stated(quick)],
)
def test_no_bound_is_met_without_training(name: str, quick: bool) -> None:
    """By an answer that ignores the input, or by the untrained network."""
    with skip_without_data():
        alone = by_itself(name, quick)
    bounds = bounds_of(name, quick)
    assert alone.meeting(bounds) == {}
    assert set(bounds) <= set(alone.untrained)


@pytest.mark.parametrize("name", [name if name in FAST else long(name) for name in stated(quick=True)])
def test_a_quick_run_reaches_its_bounds(name: str, tmp_path: Path) -> None:
    with skip_without_data():
        results = zoo.run(name, {"train.device": "cpu"}, quick=True, out=tmp_path / "run")
    assert results["expect"]
    assert [figure for figure, verdict in results["expect"].items() if not verdict["met"]] == []


def test_a_detector_learns_in_a_short_form_of_its_quick_run(tmp_path: Path) -> None:
    """A sixth of it: 0.50 has been measured, and the mean box of each class has less than 0.05."""
    short = {"dataset.train_size": 300, "dataset.val_size": 100, "train.epochs": 4, "train.evaluate_every_epochs": 4}
    results = zoo.run("ssd", {**short, "train.device": "cpu"}, quick=True, out=tmp_path / "run")
    assert results["figures"]["val/map_50"] > 0.3
    assert results["baselines"]["val/map_50"]["mean box"] < 0.05
