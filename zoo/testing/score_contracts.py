"""What losses and metrics promise: it makes no difference how samples are cut into batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from zoo.data import Batch
from zoo.registry.component import Component
from zoo.testing.building import build, experiment_with
from zoo.testing.verdict import require

if TYPE_CHECKING:
    from zoo.jobs.scoring import Scoring
    from zoo.training.learner import Scored


def is_a_mean(loss: Component) -> None:
    """Each part of the loss of a batch is the mean of its halves', weighted by what it says that it is a mean over.

    So gradients and figures do not hang on how a step is cut into batches. A loss that compares the samples of a batch
    with each other is never cut.
    """
    import torch

    if getattr(build(loss)[0], "whole_batch", False):
        pytest.skip("it compares the samples of a batch with each other (`whole_batch`)")
    whole, first, second = _losses(loss)
    for name, value in whole.values.items():
        told = "its loss" if name == "loss" else f"part `{name}` of its loss"
        require(bool(value.isfinite()), f"{told} is {float(value)} for a batch")
        weights = [float(half.counts[name]) for half in (first, second)]
        mean = (first.values[name] * weights[0] + second.values[name] * weights[1]) / sum(weights)
        message = f"{told} is {float(value):.6g} for a batch, and the mean of its halves, weighted {weights[0]:g} to "
        message += f"{weights[1]:g}, is {float(mean):.6g}: `count` should say what it is a mean over"
        require(torch.allclose(value, mean, rtol=1e-4, atol=1e-6), message)


def _losses(component: Component) -> Iterator[Scored]:
    """The losses of a batch and then of its halves.

    The batch is a recipe's; or random numbers from 0 to 1, where the example has the shapes `outputs` and `target`.
    """
    import torch

    from zoo.jobs.evaluate import evaluating
    from zoo.tasks import Task
    from zoo.training.learner import Learner

    if "outputs" in component.example:
        learner = Learner(torch.nn.Identity(), Task(), build(component)[0])
        generator = torch.Generator().manual_seed(0)
        shapes = {"input": component.example["outputs"], "target": component.example["target"]}
        batch: Batch = {name: torch.rand(shape, generator=generator) for name, shape in shapes.items()}
    else:
        scoring = experiment_with(component).scoring
        learner = scoring.learner
        batch = _batch(scoring)
    with evaluating(learner):
        for part in (batch, *(_cut(batch, half) for half in _HALVES)):
            yield learner(part)


def resets(metric: Component) -> None:
    """After `reset`, the same batch gives the same figures again."""
    first, again = _figures(metric, [_WHOLE, _WHOLE])
    require(_close(first, again), f"it gives {first}, and after `reset` {again} for the same batch")


def adds_up(metric: Component) -> None:
    """An update with each half of a batch gives the figures of one with the whole."""
    whole, both = _figures(metric, [_WHOLE, _HALVES])
    require(_close(whole, both), f"it gives {whole} for a batch, and {both} for its halves one after the other")


Cuts = tuple[slice, ...]
_WHOLE: Cuts = (slice(None),)
_HALVES: Cuts = (slice(1), slice(1, None))  # of unequal size: a mean of means would pass equal ones


def _cut(batch: Batch, part: slice) -> Batch:
    return {name: value[part] for name, value in batch.items()}


def _batch(scoring: Scoring) -> Batch:
    batch = next(iter(scoring.batches.epoch(0)))
    if scoring.task.batch_size(batch) < 2:
        pytest.skip("its recipe scores one sample at a time")
    return batch


def _figures(component: Component, ways: Sequence[Cuts]) -> list[dict[str, list[Any]]]:
    """Return what a metric says of one batch after a reset, for each way of cutting it.

    Predictions are made of the whole and then cut: the longest sentence of a batch may bound all translations.
    """
    import torch

    from zoo.jobs.evaluate import evaluating

    scoring = experiment_with(component).scoring
    metric = scoring.metrics[component.name]
    batch, found = _batch(scoring), []
    learner = scoring.learner
    with evaluating(learner):
        predictions = learner.predict(batch)
        for cuts in ways:
            metric.reset()
            for part in cuts:
                own = _cut(batch, part)
                outputs = learner.task.outputs(learner.model, own)
                learner.task.update(component.name, metric, learner.model, own, outputs, predictions[part])
            value = metric.compute()
            named = value if isinstance(value, dict) else {component.name: value}
            found.append({name: torch.as_tensor(figure).float().tolist() for name, figure in named.items()})
    return found


def _close(first: dict[str, Any], second: dict[str, Any]) -> bool:
    import torch

    return first.keys() == second.keys() and all(
        torch.allclose(torch.tensor(value), torch.tensor(second[name]), rtol=1e-4, atol=1e-6, equal_nan=True)
        for name, value in first.items()
    )
