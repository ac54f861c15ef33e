"""Score a model on a split."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

import torch
from torch import nn

from zoo.batches import batch_size
from zoo.data import Batch
from zoo.fit import in_fp32, losses_of, part_name
from zoo.jobs.experiment import Scoring
from zoo.jobs.signals import Stop

Figures = dict[str, float]


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode without gradients inside; outside, every module is as it was."""
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        for module in training:
            module.training = True


def evaluate(scoring: Scoring, stop: Stop | None = None, limit: int | None = None) -> Figures:
    """Figures by name: `val/loss`, `val/accuracy` ... The device is asked once, at the end.

    Args:
        limit: batches to look at, for a dry run.

    Raises:
        Stopped: a signal came; nothing has changed.
    """
    return evaluate_together([scoring], stop, limit)


def evaluate_together(scorings: Sequence[Scoring], stop: Stop | None = None, limit: int | None = None) -> Figures:
    """Figures over several models' samples as if one had scored them all, named after the first's split.

    Args:
        limit: batches of each to look at.

    Raises:
        Stopped: a signal came; nothing has changed.
    """
    first = scorings[0]
    for metric in first.metrics.values():
        metric.reset()
    sums: dict[str, Any] = {}
    weights: dict[str, Any] = {}  # a part of the loss counts in the batches that have it
    for scoring in scorings:
        with evaluating(scoring.model):
            for batch in islice(scoring.batches.epoch(0), limit):
                if stop is not None:
                    stop.check()
                losses, count, outputs = _scored(scoring, batch)
                for name, value in losses.items():
                    sums[name] = sums.get(name, 0) + value * count
                    weights[name] = weights.get(name, 0) + count
                predictions = scoring.task.predict(scoring.model, batch, outputs)
                for metric in first.metrics.values():
                    scoring.task.update(metric, outputs, predictions, batch)
    with torch.inference_mode():
        means = {name: float(value / weights[name]) for name, value in sums.items()}
        return {f"{first.split}/{name}": value for name, value in {**means, **_computed(first.metrics)}.items()}


def signatures(scoring: Scoring) -> dict[str, Any]:
    """`{"signatures": {metric: text}}`: how metrics that can be computed in several ways were computed."""
    stated = {name: getattr(metric, "signature", None) for name, metric in scoring.metrics.items()}
    kept = {name: str(text) for name, text in stated.items() if text}
    return {"signatures": kept} if kept else {}


def predictions_of(scoring: Scoring, batch: Batch) -> Any:
    """Predictions of one batch, in evaluation mode."""
    with evaluating(scoring.model):
        outputs = forward(scoring, batch)
        return scoring.task.predict(scoring.model, batch, outputs)


def fingerprint(scoring: Scoring, samples: int = 8) -> tuple[str, torch.Tensor]:
    """What the model says of the split's first samples: a hash of all outputs, and the first of the numbers."""
    batch = next(iter(scoring.batches.epoch(0)))
    few = {name: value[:samples] for name, value in batch.items()}
    with evaluating(scoring.model):
        tensors = list(_tensors(forward(scoring, few)))
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(tensor.cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    first = torch.cat([tensor.flatten().float().cpu() for tensor in tensors])[:4096] if tensors else torch.zeros(0)
    return digest.hexdigest(), first


def _scored(scoring: Scoring, batch: Batch) -> tuple[dict[str, torch.Tensor], Any, Any]:
    if scoring.loss is None:
        return {}, batch_size(batch), forward(scoring, batch)
    value, parts, outputs = losses_of(scoring.model, scoring.task, scoring.loss, batch, scoring.autocast)
    counted = hasattr(scoring.loss, "count")
    count = scoring.loss.count(outputs, scoring.task.target(batch)) if counted else batch_size(batch)  # type: ignore[attr-defined]
    more = scoring.loss.figures(outputs, scoring.task.target(batch)) if hasattr(scoring.loss, "figures") else {}
    return {"loss": value, **{part_name(name): part for name, part in parts.items()}, **more}, count, outputs


def forward(scoring: Scoring, batch: Batch) -> Any:
    """The model's outputs for one batch, in fp32."""
    if scoring.autocast is None:
        return scoring.task.forward(scoring.model, batch)
    with scoring.autocast():
        return in_fp32(scoring.task.forward(scoring.model, batch))


def _computed(metrics: dict[str, Any]) -> Figures:
    """Scalars by name; a metric that computes several gives each its own."""
    figures = {}
    for name, metric in metrics.items():
        value = metric.compute()
        named = value if isinstance(value, dict) else {name: value}
        for key, figure in named.items():
            if not isinstance(figure, torch.Tensor) or figure.numel() == 1:
                figures[key] = float(figure)
    return figures


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _tensors(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _tensors(part)
