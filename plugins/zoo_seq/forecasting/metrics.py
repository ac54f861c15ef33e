"""How far forecasts are off, by how far they look ahead."""

from __future__ import annotations

import torch
from torch import Tensor


class StepError:
    """Root mean squared errors of forecasts 1, 4, 16 and 64 steps ahead: `error_1`, `error_4` ...

    Takes forecasts (B, S) and what came (B, S); errors further ahead than S are left out. In deviations of the series:
    to forecast its mean would get 1.
    """

    higher_is_better = False
    steps = (1, 4, 16, 64)
    figures = tuple(f"error_{step}" for step in steps)

    squares: Tensor | float
    count: int

    def __init__(self) -> None:
        self.reset()

    def update(self, predictions: Tensor, target: Tensor) -> None:
        self.squares = self.squares + (predictions - target).square().sum(dim=0)
        self.count += len(target)

    def compute(self) -> dict[str, Tensor]:
        errors = torch.as_tensor(self.squares / self.count).sqrt()
        return {f"error_{step}": errors[step - 1] for step in self.steps if step <= len(errors)}

    def reset(self) -> None:
        self.squares = 0.0
        self.count = 0
