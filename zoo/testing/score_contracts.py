"""What losses and metrics promise: it makes no difference how samples are cut into batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from zoo.component import Component
from zoo.data import Batch
from zoo.testing.building import build, experiment_with
from zoo.testing.verdict import require

if TYPE_CHECKING:
    import torch

    from zoo.jobs.scoring import Scoring


def is_a_mean(loss: Component) -> None:
    """The loss of a batch, and each of its parts, is the mean of its halves' by `count`, or by samples without it.

    So gradients and figures do not hang on how a step is cut into batches.
    """
    import torch

    (whole, _), (first, first_weight), (second, second_weight) = _losses(loss)
    for name, value in whole.items():
        told = f"part `{name}` of its loss" if name else "its loss"
        require(bool(value.isfinite()), f"{told} is {float(value)} for a batch")
        mean = (first[name] * first_weight + second[name] * second_weight) / (first_weight + second_weight)
        message = f"{told} is {float(value):.6g} for a batch, and the mean of its halves, weighted {first_weight:g} to "
        message += f"{second_weight:g}, is {float(mean):.6g}: `count` should say what it is a mean over"
        require(torch.allclose(value, mean, rtol=1e-4, atol=1e-6), message)


def _losses(component: Component) -> Iterator[tuple[dict[str, torch.Tensor], float]]:
    """Total and parts of a loss, and the weight of its mean, for a batch and then for its halves.

    The batch is a recipe's; or random numbers from 0 to 1, where the example has the shapes `outputs` and `target`.
    """
    import torch

    from zoo.batches import batch_size
    from zoo.fit import losses_of
    from zoo.jobs.evaluate import evaluating
    from zoo.tasks import Task

    if "outputs" in component.example:
        loss, task = build(component)[0], Task()
        model: torch.nn.Module = torch.nn.Identity()
        generator = torch.Generator().manual_seed(0)
        shapes = {"input": component.example["outputs"], "target": component.example["target"]}
        batch: Batch = {name: torch.rand(shape, generator=generator) for name, shape in shapes.items()}
    else:
        scoring = experiment_with(component).scoring
        loss, model, task = scoring.loss, scoring.model, scoring.task
        batch = _batch(scoring)
    with evaluating(model):
        for part in (batch, *(_cut(batch, half) for half in _HALVES)):
            total, parts, outputs = losses_of(model, task, loss, part)
            count = loss.count(outputs, task.target(part)) if hasattr(loss, "count") else batch_size(part)
            yield {"": total, **parts}, float(count)


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
    from zoo.batches import batch_size

    batch = next(iter(scoring.batches.epoch(0)))
    if batch_size(batch) < 2:
        pytest.skip("its recipe scores one sample at a time")
    return batch


def _figures(component: Component, ways: Sequence[Cuts]) -> list[dict[str, list[Any]]]:
    """Return what a metric says of one batch after a reset, for each way of cutting it.

    Predictions are made of the whole and then cut: the longest sentence of a batch may bound all translations.
    """
    import torch

    from zoo.jobs.evaluate import evaluating, forward

    scoring = experiment_with(component).scoring
    metric = scoring.metrics[component.name]
    batch, found = _batch(scoring), []
    with evaluating(scoring.model):
        predictions = scoring.task.predict(scoring.model, batch, forward(scoring, batch))
        for cuts in ways:
            metric.reset()
            for part in cuts:
                own = _cut(batch, part)
                scoring.task.update(metric, forward(scoring, own), predictions[part], own)
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
