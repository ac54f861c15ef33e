"""The training loop as anyone would write it: one step after the other, nothing shared, nothing skipped."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn


def train(
    model: nn.Module,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    optimizer: torch.optim.Optimizer,
    epochs: Sequence[Sequence[tuple[torch.Tensor, torch.Tensor]]],
    *,
    clip_norm: float | None = None,
    schedule: torch.optim.lr_scheduler.LRScheduler | None = None,
    warmup_steps: int = 0,
) -> list[float]:
    """Train on the batches (input, target) of each epoch; returns the losses."""
    losses = []
    step = 0
    for batches in epochs:
        for inputs, target in batches:
            step += 1
            optimizer.zero_grad()
            value = loss(model(inputs), target)
            value.backward()
            if clip_norm is not None:
                nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
            rates = [group["lr"] for group in optimizer.param_groups]
            for group in optimizer.param_groups:
                group["lr"] *= min(1.0, step / warmup_steps) if warmup_steps else 1.0
            optimizer.step()
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate
            if schedule is not None:
                schedule.step()
            losses.append(value.item())
    return losses


class MovingAverage:
    """An exponential moving average of named tensors, one number after the other."""

    def __init__(self, values: dict[str, torch.Tensor], decay: float) -> None:
        self.values = {name: value.clone() for name, value in values.items()}
        self.decay, self.updates = decay, 0

    def update(self, values: dict[str, torch.Tensor]) -> None:
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for name, value in values.items():
            self.values[name] = decay * self.values[name] + (1 - decay) * value
