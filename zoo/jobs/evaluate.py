"""Score a model on a split."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import Any

import torch
from torch import nn

from zoo.batches import batch_size
from zoo.data import Batch
from zoo.errors import InputError
from zoo.fit import in_fp32, losses_of, part_name
from zoo.folds import mean_of
from zoo.jobs.scoring import Scoring
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
        figures = {**means, **_scalars(first.metrics, means)}
        return {f"{first.split}/{name}": value for name, value in figures.items()}


def evaluate_average(scorings: Sequence[Scoring], stop: Stop | None = None) -> Figures:
    """Figures of the mean prediction of several models of the same samples (the folds of a cross-validation).

    Losses are the models' mean.

    Raises:
        InputError: predictions are no tensors.
        Stopped: a signal came; nothing has changed.
    """
    if len(scorings) == 1:
        return evaluate(scorings[0], stop)
    first = scorings[0]
    losses = [evaluate(replace(scoring, metrics={}), stop) for scoring in scorings]
    for metric in first.metrics.values():
        metric.reset()
    for batch in first.batches.epoch(0):
        if stop is not None:
            stop.check()
        outputs, predictions = (
            mean_of(values) for values in zip(*(_answers(one, batch) for one in scorings), strict=True)
        )
        with torch.inference_mode():
            for metric in first.metrics.values():
                first.task.update(metric, outputs, predictions, batch)
    with torch.inference_mode():
        means = {name: sum(loss[name] for loss in losses) / len(losses) for name in losses[0]}
        return {**means, **{f"{first.split}/{name}": value for name, value in _scalars(first.metrics, ()).items()}}


def _answers(scoring: Scoring, batch: Batch) -> tuple[Any, Any]:
    with evaluating(scoring.model):
        outputs = forward(scoring, batch)
        return outputs, scoring.task.predict(scoring.model, batch, outputs)


def tables_of(scoring: Scoring) -> dict[str, Any]:
    """`{"tables": {"val/confusion_matrix": [[...], ...]}}`: what metrics compute that is no single number."""
    if not _tables(scoring):  # seen after the last evaluation, whose weights need not be these
        return {}
    evaluate(scoring)
    return {"tables": _tables(scoring)}


def _tables(scoring: Scoring) -> dict[str, Any]:
    values = {name: value for name, value, _ in computed(scoring.metrics) if isinstance(value, torch.Tensor)}
    return {f"{scoring.split}/{name}": value.tolist() for name, value in values.items() if value.numel() > 1}


def signatures(scoring: Scoring) -> dict[str, Any]:
    """`{"signatures": {metric: text}}`: how metrics that can be computed in several ways were computed."""
    stated = {name: getattr(metric, "signature", None) for name, metric in scoring.metrics.items()}
    kept = {name: str(text) for name, text in stated.items() if text}
    return {"signatures": kept} if kept else {}


def predictions_of(scoring: Scoring, batch: Batch) -> Any:
    """Predictions of one batch, in evaluation mode."""
    return _answers(scoring, batch)[1]


def fingerprint(scoring: Scoring, samples: int = 8) -> tuple[str, torch.Tensor]:
    """Return what the model says of the split's first samples: a hash of all outputs, and the first of the numbers."""
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


def computed(metrics: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Name, value and metric of each figure; a metric that computes several gives each its own name."""
    for name, metric in metrics.items():
        value = metric.compute()
        for figure, number in (value if isinstance(value, dict) else {name: value}).items():
            yield figure, number, metric


def _scalars(metrics: Mapping[str, Any], taken: Iterable[str]) -> Figures:
    figures: Figures = {}
    for name, value, _ in computed(metrics):
        if isinstance(value, torch.Tensor) and value.numel() != 1:
            continue
        if name in figures or name in taken:
            raise InputError(
                f"two figures are called `{name}`", '[eval] metrics = [{ name = "accuracy", as = "macro", ... }]'
            )
        figures[name] = float(value)
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
