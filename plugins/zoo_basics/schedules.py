"""Learning-rate schedules. The core steps them once per optimizer step, and applies warm-up on top.

A rate is the group's own rate times a factor, so that groups keep their ratio. All but `one_cycle` and `plateau`
compute the factor from the step alone: nothing drifts, and a resumed run has exactly the rates of an unbroken one.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, OneCycleLR, ReduceLROnPlateau

Count = Annotated[int, Ge(1)]
Factor = Annotated[float, Gt(0), Le(1)]
EndFactor = Annotated[float, Ge(0), Le(1)]


def constant(optimizer: Optimizer) -> LambdaLR:
    """The rate stays as it is."""
    return LambdaLR(optimizer, lambda step: 1.0)


def step(optimizer: Optimizer, steps_per_epoch: int, step_size: Count, gamma: Factor = 0.1) -> LambdaLR:
    """The rate is multiplied by `gamma` every `step_size` epochs."""
    return LambdaLR(optimizer, lambda step: gamma ** (step // (step_size * steps_per_epoch)))


def multi_step(optimizer: Optimizer, steps_per_epoch: int, milestones: list[Count], gamma: Factor = 0.1) -> LambdaLR:
    """The rate is multiplied by `gamma` after each of the epochs in `milestones`."""
    ends = sorted(milestone * steps_per_epoch for milestone in milestones)
    return LambdaLR(optimizer, lambda step: gamma ** bisect_right(ends, step))


def exponential(optimizer: Optimizer, steps_per_epoch: int, gamma: Factor) -> LambdaLR:
    """The rate shrinks by `gamma` an epoch, a little at every step; `step` with `step_size = 1` does it in stairs."""
    return LambdaLR(optimizer, lambda step: gamma ** (step / steps_per_epoch))


def polynomial(
    optimizer: Optimizer, total_steps: int, power: Annotated[float, Gt(0)] = 1.0, end_factor: EndFactor = 0.0
) -> LambdaLR:
    """The rate falls to `end_factor` of itself at the run's end, as a power of the steps that are left.

    `power = 1` is a straight line; 0.9 is usual in segmentation (Chen et al., 2017, "DeepLab", section 4.1).
    """

    def factor(step: int) -> float:
        left = 1 - min(step / total_steps, 1)
        return end_factor + (1 - end_factor) * math.pow(left, power)

    return LambdaLR(optimizer, factor)


def cosine(optimizer: Optimizer, total_steps: int, end_factor: EndFactor = 0.0) -> LambdaLR:
    """The rate falls to `end_factor` of itself at the run's end along half a cosine, without restarts.

    Loshchilov and Hutter, 2017, "SGDR", equation 5.
    """

    def factor(step: int) -> float:
        done = min(step / total_steps, 1)
        return end_factor + (1 - end_factor) * (1 + math.cos(math.pi * done)) / 2

    return LambdaLR(optimizer, factor)


def one_cycle(
    optimizer: Optimizer,
    total_steps: int,
    max_lr: Annotated[float, Gt(0)] | None = None,
    pct_start: Annotated[float, Gt(0), Lt(1)] = 0.3,
    div_factor: Annotated[float, Gt(0)] = 25.0,
    final_div_factor: Annotated[float, Gt(0)] = 1e4,
) -> OneCycleLR:
    """The rate climbs from max_lr / div_factor to `max_lr`, then falls to 1 / final_div_factor of where it began.

    Smith and Topin, 2019, "Super-convergence", section 3. Momentum (or the first beta) runs the other way, from 0.95
    to 0.85 and back, where the optimizer uses any. The schedule warms up by itself.

    Args:
        max_lr: the highest rate; by default the optimizer's.
        pct_start: share of the run that climbs.
    """
    groups = optimizer.param_groups
    return OneCycleLR(
        optimizer,
        max_lr=[group["lr"] if max_lr is None else max_lr for group in groups],
        total_steps=total_steps,
        pct_start=pct_start,
        div_factor=div_factor,
        final_div_factor=final_div_factor,
        cycle_momentum=all("betas" in group or group.get("momentum", 0) > 0 for group in groups),
    )


def plateau(
    optimizer: Optimizer,
    mode: Literal["min", "max"] = "min",
    factor: Annotated[float, Gt(0), Lt(1)] = 0.1,
    patience: Annotated[int, Ge(0)] = 10,
    threshold: Annotated[float, Ge(0)] = 1e-4,
) -> ReduceLROnPlateau:
    """The rate is multiplied by `factor` when the monitored figure has not improved for `patience` evaluations.

    Args:
        mode: whether the figure should be small or large; the run fills it in.
        threshold: the relative change that counts as an improvement.
    """
    return ReduceLROnPlateau(optimizer, mode=mode, factor=factor, patience=patience, threshold=threshold)
