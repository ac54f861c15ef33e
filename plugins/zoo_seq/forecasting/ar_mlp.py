"""A perceptron that goes on with a series (Dive into Deep Learning 9.1; notes 51)."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

import torch
from annotated_types import Ge, Gt
from torch import Tensor, nn

Count = Annotated[int, Ge(1)]


class AutoregressiveMLP(nn.Module):
    """The last numbers of a series (B, num_inputs) -> the next one (B, 1).

    Args:
        widths: of the hidden layers; none makes a linear autoregression.
        half_life: a number that is so many steps further back is multiplied by one half: the past fades, in place of
            an end at `num_inputs` (notes 51.3). Without, all numbers are alike.
    """

    weights: Tensor

    def __init__(
        self, num_inputs: Count, widths: tuple[Count, ...] = (10, 10), half_life: Annotated[float, Gt(0)] | None = None
    ) -> None:
        super().__init__()
        distances = torch.arange(num_inputs - 1, -1, -1)
        weights = torch.ones(num_inputs) if half_life is None else 0.5 ** (distances / half_life)
        self.register_buffer("weights", weights, persistent=False)
        layers: list[nn.Module] = []
        for before, width in pairwise((num_inputs, *widths)):
            layers += [nn.Linear(before, width), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Linear((num_inputs, *widths)[-1], 1))

    def forward(self, numbers: Tensor) -> Tensor:
        return self.layers(numbers * self.weights)  # type: ignore[no-any-return]
