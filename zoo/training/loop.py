"""The one training loop: a generator that yields a record for each step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from time import perf_counter
from typing import Any

import torch
from torch import nn

from zoo.data import Batch
from zoo.training.batches import Batches
from zoo.training.learner import Learner
from zoo.training.parameters import MovingAverage


@dataclass(slots=True)
class Step:
    """One update of the weights.

    Attributes:
        number: steps done, this one included.
        epoch: the epoch it belongs to, from 0.
        loss: what was minimised, detached and still on the device; `float(step.loss)` waits for the device.
        parts: the loss's named parts, likewise; empty where it has none.
        examples: samples it used.
        lr: the first group's rate.
        waited: seconds for the batches to come.
    """

    number: int
    epoch: int
    loss: torch.Tensor
    parts: dict[str, torch.Tensor]
    examples: int
    lr: float
    waited: float = 0.0


@dataclass
class Update:
    """How a loss becomes gradients, and gradients new weights.

    A loop of its own calls `backward` and `step`. A second optimizer gets all that the recipe says of the first with
    `dataclasses.replace(experiment.update, optimizer=..., schedule=None, ema=None)`.
    """

    optimizer: torch.optim.Optimizer
    schedule: Any = None
    warmup_steps: int = 0
    clip_norm: float | None = None
    scaler: Any = None
    ema: MovingAverage | None = None

    def backward(self, loss: torch.Tensor, **keywords: Any) -> None:
        """Add a loss's gradients to the weights', scaled where the precision is fp16.

        Args:
            keywords: what `Tensor.backward` takes: `inputs`, the weights that alone get gradients; `retain_graph`.
        """
        (loss if self.scaler is None else self.scaler.scale(loss)).backward(**keywords)

    def step(self, number: int) -> float:
        """Clip, warm up, step the optimizer, the schedule and the moving average; return the first group's rate.

        Weights without a gradient stay as they are. The gradients are kept: the caller sets them to None.

        Args:
            number: of the step, from 1.
        """
        optimizer, scaler = self.optimizer, self.scaler
        step: Callable[[], Any] = optimizer.step if scaler is None else partial(scaler.step, optimizer)
        groups = optimizer.param_groups
        with torch.no_grad():
            if self.clip_norm is not None:
                if scaler is not None:
                    scaler.unscale_(optimizer)
                nn.utils.clip_grad_norm_([param for group in groups for param in group["params"]], self.clip_norm)
            if number < self.warmup_steps:
                rate = _step_warming_up(step, groups, number / self.warmup_steps)
            else:
                step()
                rate = groups[0]["lr"]
            if scaler is not None:
                scaler.update()
        if self.schedule is not None and not hasattr(self.schedule, "num_bad_epochs"):
            self.schedule.step()
        if self.ema is not None:
            self.ema.update()
        return rate  # type: ignore[no-any-return]


def fit(
    learner: Learner, batches: Batches, update: Update, *, steps: int, start: int = 0, accumulate: int = 1
) -> Iterator[Step]:
    """Train, and yield after every step.

    The weights are updated when a step is yielded; whatever the caller does with the model before it asks for the next
    one (evaluate, save, stop) is done between steps. Nothing here waits for the device. The training mode of the
    modules is the caller's to set.

    Args:
        learner: already on the device of the batches.
        steps: the number of the last step.
        start: steps done before; the loop enters the epoch where they end.
        accumulate: batches a step. Gradients and figures are those of one large batch: each part of the loss is
            weighted by what it is a mean over.
    """
    parameters = [parameter for group in update.optimizer.param_groups for parameter in group["params"]]
    samples_in = learner.task.batch_size
    per_epoch = -(-len(batches) // accumulate)
    number = start
    while number < steps:
        epoch, done = divmod(number, per_epoch)
        stream = batches.epoch(epoch, done * accumulate)
        while number < steps:
            asked = perf_counter()
            group = list(islice(stream, accumulate))
            waited = perf_counter() - asked
            if not group:
                break
            for parameter in parameters:
                parameter.grad = None
            if len(group) == 1:
                parts = learner(group[0]).values
                loss = total_of(parts)
                update.backward(loss)
            else:
                parts = _accumulate(learner, group, update, parameters)
                loss = total_of(parts)
            number += 1
            rate = update.step(number)
            loss = loss.detach()
            parts = {} if parts.keys() == {"loss"} else {name: part.detach() for name, part in parts.items()}
            yield Step(number, epoch, loss, parts, sum(map(samples_in, group)), rate, waited)


def total_of(parts: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Return the sum of the parts of a loss: of one, itself."""
    first, *others = parts.values()
    for part in others:
        first = first + part
    return first


def part_name(part: str) -> str:
    """Return the name under which a part of a loss is logged: `loss_box` for `box`, and for `loss_box`."""
    return part if part.startswith("loss_") else f"loss_{part}"


def _accumulate(
    learner: Learner, group: list[Batch], update: Update, parameters: list[nn.Parameter]
) -> dict[str, torch.Tensor]:
    """Leave the gradients of one batch that is all of the group, and return the parts of its loss.

    Parts that are means over the same go backward together; the gradients of others are kept apart until it is known
    how much each counts.
    """
    first: dict[str, Any] = {}
    weights: dict[str, Any] = {}
    sums: dict[str, Any] = {}
    gradients: dict[tuple[str, ...], list[torch.Tensor | None]] = {}
    for batch in group:
        values, counts, _ = learner(batch)
        alike: dict[int, list[str]] = {}
        for name, count in counts.items():
            alike.setdefault(id(count), []).append(name)
            scale = first.setdefault(name, count.clamp(min=1) if isinstance(count, torch.Tensor) else max(count, 1))
            share = count / scale  # near 1: fp16 has no room for gradients times thousands of tokens
            weights[name] = weights.get(name, 0) + share
            values[name] = values[name] * share
            sums[name] = sums.get(name, 0) + values[name].detach()
        for place, together in enumerate(map(tuple, alike.values()), 1):
            loss = total_of({name: values[name] for name in together})
            _put(parameters, gradients.get(together))
            update.backward(loss, retain_graph=place < len(alike))
            gradients[together] = [parameter.grad for parameter in parameters]
    weights = {name: _above_zero(weight) for name, weight in weights.items()}
    _put(parameters, None)
    for together, grads in gradients.items():
        kept = [(param, grad) for param, grad in zip(parameters, grads, strict=True) if grad is not None]
        weight = weights[together[0]]
        scale = weight.to(kept[0][1].dtype) if isinstance(weight, torch.Tensor) else float(weight)
        torch._foreach_div_([grad for _, grad in kept], scale)
        for param, grad in kept:
            param.grad = grad if param.grad is None else param.grad.add_(grad)
    return {name: total / weights[name] for name, total in sums.items()}


def _put(parameters: list[nn.Parameter], gradients: list[torch.Tensor | None] | None) -> None:
    for parameter, gradient in zip(parameters, gradients or [None] * len(parameters), strict=True):
        parameter.grad = gradient


def _above_zero(weight: Any) -> Any:
    return weight.clamp(min=torch.finfo(torch.float32).tiny) if isinstance(weight, torch.Tensor) else weight


def _step_warming_up(step: Callable[[], Any], groups: Iterable[dict[str, Any]], factor: float) -> Any:
    """A step at a share of the schedule's rate. The rates are put back: some schedules compute on from them."""
    rates = [group["lr"] for group in groups]
    for group, rate in zip(groups, rates, strict=True):
        group["lr"] = rate * factor
    step()
    for group, rate in zip(groups, rates, strict=True):
        group["lr"] = rate
    return rates[0] * factor
