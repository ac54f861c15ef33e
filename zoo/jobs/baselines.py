"""What answers that ignore the input score: the least that a model has to beat."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from torch import nn

from zoo.data import Batch
from zoo.jobs.evaluate import evaluate
from zoo.jobs.scoring import Scoring
from zoo.jobs.signals import Stop
from zoo.training.batches import make_batches
from zoo.training.randomness import order

SAMPLES = 4096  # of the training split that the answers are made from
BATCH = 256


def baselines_of(scoring: Scoring, train: Any, stop: Stop | None = None) -> dict[str, dict[str, float]]:
    """`{"val/accuracy": {"majority class": 0.1}}`: what each answer of the task scores on the scored split.

    Figures that are not finite are left out; without answers it is empty. The metrics' own state is lost.

    Args:
        train: the training split.

    Raises:
        Stopped: a signal came.
    """
    baselines: dict[str, dict[str, float]] = {}
    for name, answer in scoring.task.baselines(_some(train, scoring)).items():
        model = answer if isinstance(answer, nn.Module) else _InItsPlace(answer)
        for figure, value in evaluate(scoring.of(model), stop=stop).items():
            if math.isfinite(value):
                baselines.setdefault(figure, {})[name] = value
    return baselines


class _InItsPlace(nn.Module):
    """An answer in the place of a model."""

    def __init__(self, answer: Callable[..., Any]) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, *inputs: Any) -> Any:
        return self.answer(*inputs)


def _some(split: Any, scoring: Scoring) -> Iterator[Batch]:
    """Samples in a random order, always the same, as they are before augmentation."""
    split = getattr(split, "plain", split)
    batches = make_batches(split, BATCH, scoring.device, scoring.task.collate)
    chosen = order(0, 0, len(split))[:SAMPLES].to(scoring.device)
    for start in range(0, len(chosen), BATCH):
        yield batches.of(chosen[start : start + BATCH])
