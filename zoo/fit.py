"""The one training loop: a generator that yields a record for each step."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from torch import nn

from zoo.batches import Batches, batch_size
from zoo.data import Batch
from zoo.parameters import MovingAverage
from zoo.tasks import Task

Losses = dict[str, torch.Tensor]


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
    """

    number: int
    epoch: int
    loss: torch.Tensor
    parts: Losses
    examples: int
    lr: float


@dataclass
class Update:
    """How gradients become new weights: what a step does after `backward`."""

    optimizer: torch.optim.Optimizer
    schedule: Any = None
    warmup_steps: int = 0
    clip_norm: float | None = None
    scaler: Any = None
    ema: MovingAverage | None = None


def fit(
    model: nn.Module,
    task: Task,
    loss: Callable[[Any, Any], Any] | None,
    batches: Batches,
    update: Update,
    *,
    steps: int,
    start: int = 0,
    accumulate: int = 1,
    autocast: Callable[[], Any] | None = None,
) -> Iterator[Step]:
    """Train, and yield after every step.

    The weights are updated when a step is yielded; whatever the caller does with the model before it asks for the next
    one (evaluate, save, stop) is done between steps. Nothing here waits for the device. The model's training mode is
    the caller's to set.

    Args:
        model: already on the device of the batches.
        loss: `loss(outputs, target)` -> a tensor, or named tensors whose sum is minimised; None where the task's
            outputs are losses already. It is given outputs in fp32.
        steps: the number of the last step.
        start: steps done before; the loop enters the epoch where they end.
        accumulate: batches a step. Their losses are weighted by what each is a mean over: `loss.count(outputs,
            target)` where it has that, else samples.
        autocast: makes the context of a forward pass.
    """
    parameters = [parameter for group in update.optimizer.param_groups for parameter in group["params"]]
    optimize = _optimize(update, parameters)
    per_epoch = -(-len(batches) // accumulate)
    number = start
    while number < steps:
        epoch, done = divmod(number, per_epoch)
        stream = batches.epoch(epoch, done * accumulate)
        while number < steps and (group := list(islice(stream, accumulate))):
            for parameter in parameters:
                parameter.grad = None
            if len(group) == 1:
                value, parts, _ = losses_of(model, task, loss, group[0], autocast)
                (value if update.scaler is None else update.scaler.scale(value)).backward()
                value = value.detach()
            else:
                value, parts = _accumulate(model, task, loss, group, autocast, update.scaler, parameters)
            number += 1
            rate = optimize(number)
            yield Step(number, epoch, value, parts, sum(map(batch_size, group)), rate)


def losses_of(
    model: nn.Module,
    task: Task,
    loss: Callable[[Any, Any], Any] | None,
    batch: Batch,
    autocast: Callable[[], Any] | None = None,
) -> tuple[torch.Tensor, Losses, Any]:
    """Forward pass and loss of one batch: the sum, its detached parts, and the outputs in fp32."""
    if autocast is None:
        outputs = task.forward(model, batch)
    else:
        with autocast():
            outputs = task.forward(model, batch)
        outputs = in_fp32(outputs)
    losses = outputs if loss is None else loss(outputs, task.target(batch))
    if isinstance(losses, torch.Tensor):
        return losses, {}, outputs
    total = sum(losses.values())
    return total, {name: part.detach() for name, part in losses.items()}, outputs


def in_fp32(outputs: Any) -> Any:
    """The same structure, of the same classes, with its half-precision tensors in fp32."""
    if isinstance(outputs, torch.Tensor):
        return outputs.float() if outputs.dtype in (torch.bfloat16, torch.float16) else outputs
    if isinstance(outputs, dict):
        converted = copy.copy(outputs)  # a class of its own may have more than its items
        for key, value in outputs.items():
            converted[key] = in_fp32(value)
        return converted
    if isinstance(outputs, list | tuple):
        parts = [in_fp32(value) for value in outputs]
        return type(outputs)(*parts) if hasattr(outputs, "_fields") else type(outputs)(parts)
    if dataclasses.is_dataclass(outputs) and not isinstance(outputs, type):
        fields = [field.name for field in dataclasses.fields(outputs) if field.init]
        return dataclasses.replace(outputs, **{name: in_fp32(getattr(outputs, name)) for name in fields})
    return outputs


def part_name(part: str) -> str:
    """The name under which a part of a loss is logged: `loss_box` for `box`, and for `loss_box`."""
    return part if part.startswith("loss_") else f"loss_{part}"


def _accumulate(
    model: nn.Module,
    task: Task,
    loss: Any,
    group: list[Batch],
    autocast: Callable[[], Any] | None,
    scaler: Any,
    parameters: list[nn.Parameter],
) -> tuple[torch.Tensor, Losses]:
    """Gradients of the mean over all batches of a step, however unequal they are."""
    first: Any = None
    weight: Any = 0
    total: Any = 0
    parts: dict[str, Any] = {}
    part_weights: dict[str, Any] = {}  # a part counts in the batches that have it
    for batch in group:
        value, batch_parts, outputs = losses_of(model, task, loss, batch, autocast)
        count = loss.count(outputs, task.target(batch)) if hasattr(loss, "count") else batch_size(batch)
        if first is None:  # nothing may count in a batch
            first = count.clamp(min=1) if isinstance(count, torch.Tensor) else max(count, 1)
        share = count / first  # near 1: fp16 has no room for gradients times thousands of tokens
        weighted = value * share
        (weighted if scaler is None else scaler.scale(weighted)).backward()
        weight = weight + share
        total = total + weighted.detach()
        for name, part in batch_parts.items():
            parts[name] = parts.get(name, 0) + part * share
            part_weights[name] = part_weights.get(name, 0) + share
    weight = _above_zero(weight)
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    scale = weight.to(gradients[0].dtype) if isinstance(weight, torch.Tensor) else float(weight)
    torch._foreach_div_(gradients, scale)
    return total / weight, {name: part / _above_zero(part_weights[name]) for name, part in parts.items()}


def _above_zero(weight: Any) -> Any:
    return weight.clamp(min=torch.finfo(torch.float32).tiny) if isinstance(weight, torch.Tensor) else weight


def _optimize(update: Update, parameters: list[nn.Parameter]) -> Callable[[int], float]:
    """Return what happens after `backward`, as a function of the step's number that returns the first group's rate."""
    optimizer, schedule, scaler = update.optimizer, update.schedule, update.scaler
    step: Callable[[], Any] = optimizer.step if scaler is None else lambda: scaler.step(optimizer)
    groups = optimizer.param_groups
    steps_itself = schedule is not None and not hasattr(schedule, "num_bad_epochs")

    def optimize(number: int) -> float:
        with torch.no_grad():
            if update.clip_norm is not None:
                if scaler is not None:
                    scaler.unscale_(optimizer)
                nn.utils.clip_grad_norm_(parameters, update.clip_norm)
            if number < update.warmup_steps:
                rate = _step_warming_up(step, groups, number / update.warmup_steps)
            else:
                step()
                rate = groups[0]["lr"]
            if scaler is not None:
                scaler.update()
        if steps_itself:
            schedule.step()
        if update.ema is not None:
            update.ema.update()
        return rate  # type: ignore[no-any-return]

    return optimize


def _step_warming_up(step: Callable[[], Any], groups: Iterable[dict[str, Any]], factor: float) -> Any:
    """A step at a share of the schedule's rate. The rates are put back: some schedules compute on from them."""
    rates = [group["lr"] for group in groups]
    for group, rate in zip(groups, rates, strict=True):
        group["lr"] = rate * factor
    step()
    for group, rate in zip(groups, rates, strict=True):
        group["lr"] = rate
    return rates[0] * factor
