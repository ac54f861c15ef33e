"""Which figure chooses the best weights, and whether it should be small or large: from what metrics state, or show."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from zoo import InputError, Task, TensorSplit
from zoo.jobs.evaluate import evaluate
from zoo.jobs.monitor import mode_of, monitored
from zoo.jobs.scoring import Scoring
from zoo.recipes.settings import Train
from zoo.training.batches import make_batches
from zoo.training.learner import Learner

CPU = torch.device("cpu")


class Silent:
    """A metric that states nothing of its figures."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.seen = 0

    def update(self, predictions: torch.Tensor, target: torch.Tensor) -> None:
        self.seen += len(predictions)

    def compute(self):  # type: ignore[no-untyped-def]
        return torch.tensor(float(self.seen))


class Gains(Silent):
    """Two figures that should be large, stated."""

    higher_is_better = True
    figures = ("gain", "share_*")

    def compute(self) -> dict[str, torch.Tensor]:
        return {"gain": torch.tensor(1.0), "share_7": torch.tensor(0.5)}


class Error(Silent):
    """One number without a name that should be small."""

    higher_is_better = False

    def compute(self) -> torch.Tensor:
        return torch.tensor(2.0)


class Nameless(Silent):
    """Figures that only show once they are computed, and should be large."""

    higher_is_better = True

    def compute(self):  # type: ignore[no-untyped-def]
        return {"shown": torch.tensor(1.0)}


class Noisy(nn.Module):
    """Draws from torch's generator, and counts how often."""

    calls = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return x + torch.rand(1)


def scoring(metrics: dict[str, Any], split: str = "val", monitor: str = "val/loss", model: Any = None) -> Scoring:
    task = Task()
    task.monitor = monitor
    data = TensorSplit(input=torch.ones(6, 1), target=torch.ones(6, 1))
    batches = make_batches(data, 2, CPU, task.collate)
    return Scoring(Learner(model or Unasked(), task, nn.MSELoss()), metrics, batches, split, CPU)


class Unasked(nn.Module):
    """A model that must not be run."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise AssertionError("the figures are stated")


METRICS = {"gains": Gains(), "error": Error()}


@pytest.mark.parametrize(
    ("train", "chosen"),
    [
        (Train(), ("val/loss", "min")),
        (Train(mode="max"), ("val/loss", "max")),
        (Train(monitor="val/loss_part"), ("val/loss_part", "min")),
        (Train(monitor="val/gain"), ("val/gain", "max")),
        (Train(monitor="val/gain", mode="min"), ("val/gain", "min")),
        (Train(monitor="val/error"), ("val/error", "min")),
    ],
)
def test_stated_figures_need_no_rehearsal(train: Train, chosen: tuple[str, str]) -> None:
    """The model is not asked once."""
    assert monitored(train, scoring(METRICS), ["val/gain", "val/loss"]) == chosen


def test_the_figure_of_the_task_is_that_of_the_scored_split() -> None:
    assert monitored(Train(), scoring(METRICS, "test", "val/gain")) == ("test/gain", "max")
    assert monitored(Train(), scoring(METRICS, "test")) == ("test/loss", "min")


@pytest.mark.parametrize(
    ("figure", "mode"), [("val/shown", "max"), ("val/share_7", "max"), ("val/error", "min"), ("val/loss", "min")]
)
def test_figures_that_are_not_stated_are_seen_in_a_rehearsal(figure: str, mode: str) -> None:
    """Also where a pattern is all that is stated, or where the figure that is only expected shows then."""
    own = scoring({**METRICS, "nameless": Nameless()}, model=Noisy())
    assert monitored(Train(monitor=figure), own, ["val/shown"]) == (figure, mode)


def test_no_generator_is_any_further_after_a_rehearsal() -> None:
    """Also where a model draws from Python's or NumPy's."""

    class Drawing(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + random.random() + np.random.rand()

    before = random.getstate(), np.random.get_state()[1].tolist(), np.random.get_state()[2]
    monitored(Train(monitor="val/silent", mode="max"), scoring({"silent": Silent()}, model=Drawing()))
    assert (random.getstate(), np.random.get_state()[1].tolist(), np.random.get_state()[2]) == before


def test_a_rehearsal_leaves_no_trace() -> None:
    """One batch is scored; the metrics forget it, and torch's generator is no further."""
    metric = Silent()
    own = scoring({"silent": metric}, model=Noisy())
    before = torch.get_rng_state()
    monitored(Train(monitor="val/silent", mode="max"), own)
    assert torch.equal(torch.get_rng_state(), before)
    assert metric.seen == 0 and own.model.calls == 1
    assert evaluate(own)["val/silent"] == 6


@pytest.mark.parametrize(
    ("monitor", "expected", "message"),
    [
        ("val/gian", [], r"`val/gian` is monitored, .*\n.*did you mean `val/gain`.*val/error"),
        ("val/gain", ["val/erorr"], r"`val/erorr` is expected, .*\n.*did you mean `val/error`"),
        ("test/loss", [], r"`test/loss` is monitored"),
        ("val/lost", [], r"`val/lost` is monitored"),
        ("val/share_*", [], r"`val/share_\*` is monitored"),
    ],
)
def test_a_figure_that_is_none_is_named_with_the_nearest(monitor: str, expected: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        monitored(Train(monitor=monitor), scoring(METRICS, model=Noisy()), expected)


def test_where_nothing_says_which_way_is_better_the_recipe_has_to() -> None:
    own = scoring({"silent": Silent()}, model=Noisy())
    with pytest.raises(InputError, match=r"does not say whether it should be small or large\n.*train\.mode"):
        monitored(Train(monitor="val/silent"), own)
    assert monitored(Train(monitor="val/silent", mode="max"), own) == ("val/silent", "max")


def test_the_mode_of_a_metric() -> None:
    assert [mode_of(metric) for metric in (Gains(), Error(), Silent())] == ["max", "min", None]
