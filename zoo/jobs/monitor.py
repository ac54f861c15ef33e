"""The figure that chooses the best weights, whether it should be small or large, and which figures a run will have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import torch

from zoo.errors import InputError, nearest
from zoo.jobs.evaluate import computed, evaluate
from zoo.jobs.scoring import Scoring
from zoo.recipes.figures import figures_of
from zoo.recipes.settings import Train
from zoo.training.randomness import seeded

Mode = Literal["min", "max"]


def monitored(train: Train, scoring: Scoring, expected: Iterable[str] = ()) -> tuple[str, Mode]:
    """Return the monitored figure and its mode, once it is sure that a run has it, and the expected ones too.

    Where the metrics do not state their figures, one batch is scored to see them.

    Raises:
        InputError: there is no such figure, or nothing says whether it should be small or large.
    """
    figure = train.monitor or scoring.task.monitor.replace("val/", f"{scoring.split}/", 1)
    modes = _stated_modes(scoring)
    wanted = [figure, *expected]
    if not all(name in modes or _is_of_the_loss(name, scoring) for name in wanted):
        modes |= _rehearsed_modes(scoring)
    for name in wanted:
        if not _is_of_the_loss(name, scoring):
            require_figure(name, modes, "is monitored" if name == figure else "is expected")
    mode = train.mode or modes.get(figure, "min")
    if mode is None:
        raise InputError(
            f"`{figure}` is monitored, and its metric does not say whether it should be small or large",
            'train.mode = "min" or "max"',
        )
    return figure, mode


def require_figure(name: str, figures: Mapping[str, Any], why: str) -> None:
    """Refuse a figure that an evaluation does not have."""
    if name not in figures:
        near = nearest(name, figures)
        raise InputError(
            f"`{name}` {why}, and the evaluation has no such figure",
            (f"did you mean `{near}`? " if near else "") + f"there are {', '.join(figures)}",
        )


def _is_of_the_loss(figure: str, scoring: Scoring) -> bool:
    """Whether a figure is the loss or a part of it, which cannot be known before it is computed."""
    split, _, name = figure.partition("/")
    return split == scoring.split and (name == "loss" or name.startswith("loss_"))


def _stated_modes(scoring: Scoring) -> dict[str, Mode | None]:
    """The mode of each figure that a metric states, patterns left aside."""
    return {
        f"{scoring.split}/{figure or name}": mode_of(metric)
        for name, metric in scoring.metrics.items()
        for figure in figures_of(metric) or ()
        if "*" not in figure
    }


def _rehearsed_modes(scoring: Scoring) -> dict[str, Mode | None]:
    """The mode of each figure of an evaluation, seen by scoring one batch; no generator is any further then."""
    device = scoring.device
    with seeded(0), torch.random.fork_rng([device] if device.type == "cuda" else []):
        figures = evaluate(scoring, limit=1)
    owners = {f"{scoring.split}/{name}": metric for name, _, metric in computed(scoring.metrics)}
    for metric in scoring.metrics.values():
        metric.reset()
    return {name: mode_of(owners[name]) if name in owners else "min" for name in figures}


def mode_of(metric: Any) -> Mode | None:
    """Whether a metric's figures should be small or large; None where it does not say."""
    higher = getattr(metric, "higher_is_better", None)
    return None if higher is None else "max" if higher else "min"
