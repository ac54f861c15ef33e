"""Score a model on a split."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any, Protocol

import torch
from torch import nn

from zoo.data import Batch
from zoo.errors import InputError
from zoo.jobs.scoring import Scoring
from zoo.jobs.signals import Stop
from zoo.training.learner import Learner
from zoo.training.loop import part_name

Figures = dict[str, float]


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode without gradients inside; outside, every module is as it was."""
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module in training:
            module.training = True


class Scored(Protocol):
    """What has been prepared to be scored: an `Experiment`, a run that was reopened."""

    @property
    def scoring(self) -> Scoring: ...


def evaluate(*prepared: Scored | Scoring, stop: Stop | None = None, limit: int | None = None) -> Figures:
    """Return figures by name: `val/loss`, `val/accuracy` ... The device is asked once, at the end.

    Args:
        prepared: of several, the figures are over all their samples, as if one model had scored them, and are named
            after the first one's split.
        limit: batches of each to look at.

    Raises:
        Stopped: a signal came; nothing has changed.
    """
    scorings = [part if isinstance(part, Scoring) else part.scoring for part in prepared]
    first = scorings[0]
    for metric in first.metrics.values():
        metric.reset()
    sums: dict[str, Any] = {}
    weights: dict[str, Any] = {}  # a part of the loss counts in the batches that have it
    others: dict[str, Any] = {}
    samples = 0
    for scoring in scorings:
        learner = scoring.learner
        with evaluating(learner):
            for batch in islice(scoring.batches.epoch(0), limit):
                if stop is not None:
                    stop.check()
                values, counts, outputs = learner(batch)
                predictions = learner.predict(batch, outputs)
                for name, value in values.items():
                    sums[name] = sums.get(name, 0) + value * counts[name]
                    weights[name] = weights.get(name, 0) + counts[name]
                more = learner.figures(batch, outputs)
                for name, value in more.items():
                    others[name] = others.get(name, 0) + value * learner.task.batch_size(batch)
                samples += learner.task.batch_size(batch) if more else 0
                _update(first.metrics, learner, batch, outputs, predictions)
    with torch.no_grad():
        parts = {name: float(value / weights[name]) for name, value in sums.items()}
        means = _named(parts) | {name: float(value / samples) for name, value in others.items()}
        scalars, tables = _computed(first.metrics, means)
        figures = {**means, **scalars}
        first.tables = {f"{first.split}/{name}": table for name, table in tables.items()}
        return {f"{first.split}/{name}": value for name, value in figures.items()}


def _named(parts: dict[str, float]) -> Figures:
    """The loss, which is the sum of its parts, and the parts by the names of their figures."""
    if parts.keys() <= {"loss"}:
        return parts
    return {"loss": sum(parts.values()), **{part_name(name): value for name, value in parts.items()}}


def _update(metrics: Mapping[str, Any], learner: Learner, batch: Batch, outputs: Any, predictions: Any) -> None:
    for name, metric in metrics.items():
        learner.task.update(name, metric, learner.model, batch, outputs, predictions)


def tables_of(scoring: Scoring) -> dict[str, Any]:
    """`{"tables": {"val/confusion_matrix": [[...], ...]}}`: what metrics compute that is no single number."""
    if scoring.tables == {}:
        return {}
    evaluate(scoring)  # the weights of the last evaluation, if there was any, need not be these
    return {"tables": scoring.tables} if scoring.tables else {}


def signatures(scoring: Scoring) -> dict[str, Any]:
    """`{"signatures": {metric: text}}`: how metrics that can be computed in several ways were computed."""
    stated = {name: getattr(metric, "signature", None) for name, metric in scoring.metrics.items()}
    kept = {name: str(text) for name, text in stated.items() if text}
    return {"signatures": kept} if kept else {}


def predictions_of(scoring: Scoring, batch: Batch) -> Any:
    """Predictions of one batch, in evaluation mode."""
    with evaluating(scoring.learner):
        return scoring.learner.predict(batch)


def fingerprint(scoring: Scoring, samples: int = 8) -> tuple[str, torch.Tensor]:
    """Return what the model says of the split's first samples: a hash of all outputs, and the first of the numbers."""
    batch = scoring.batches.of(torch.arange(min(samples, scoring.batches.samples)))
    with evaluating(scoring.learner):
        tensors = list(_tensors(scoring.learner(batch).outputs))
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(tensor.cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    first = torch.cat([tensor.flatten().float().cpu() for tensor in tensors])[:4096] if tensors else torch.zeros(0)
    return digest.hexdigest(), first


def computed(metrics: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Name, value and metric of each figure; a metric that computes several gives each its own name."""
    for name, metric in metrics.items():
        value = metric.compute()
        for figure, number in (value if isinstance(value, dict) else {name: value}).items():
            yield figure, number, metric


def _computed(metrics: Mapping[str, Any], taken: Iterable[str]) -> tuple[Figures, dict[str, Any]]:
    """Figures and tables that metrics compute, by name."""
    figures: Figures = {}
    tables = {}
    for name, value, _ in computed(metrics):
        if isinstance(value, torch.Tensor) and value.numel() != 1:
            if value.numel():
                tables[name] = value.tolist()
            continue
        if name in figures or name in taken:
            raise InputError(
                f"two figures are called `{name}`", '[eval] metrics = [{ name = "accuracy", as = "macro", ... }]'
            )
        figures[name] = float(value)
    return figures, tables


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _tensors(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _tensors(part)
