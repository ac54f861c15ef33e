"""A perceptron that goes on with a series (Dive into Deep Learning 9.1; notes 51)."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from annotated_types import Ge
from torch import Tensor, nn

Count = Annotated[int, Ge(1)]


class AutoregressiveMLP(nn.Module):
    """The last numbers of a series (B, num_inputs) -> the next one (B, 1).

    Args:
        widths: of the hidden layers; none makes a linear autoregression.
    """

    def __init__(self, num_inputs: Count, widths: tuple[Count, ...] = (10, 10)) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, width in pairwise((num_inputs, *widths)):
            layers += [nn.Linear(before, width), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Linear((num_inputs, *widths)[-1], 1))

    def forward(self, numbers: Tensor) -> Tensor:
        return self.layers(numbers)  # type: ignore[no-any-return]
