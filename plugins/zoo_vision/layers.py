"""What several of the networks are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import nn

Activation = Literal["relu", "sigmoid", "tanh", "gelu"]
Pooling = Literal["max", "average", "stride"]

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "gelu": nn.GELU,
}


def every_nth(kernel_size: int, stride: int | None = None) -> nn.Module:
    """(B, C, H, W) -> every `stride`-th row and column: what a stride in the convolution before would have left."""
    return nn.MaxPool2d(1, stride or kernel_size)


POOLS: dict[str, Callable[..., nn.Module]] = {"max": nn.MaxPool2d, "average": nn.AvgPool2d, "stride": every_nth}


class GlobalAverage(nn.Module):
    """(B, C, H, W) -> (B, C): the mean over the picture (Lin et al., 2014, Network in Network, section 3.2)."""

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return features.mean(dim=(2, 3))


def conv_norm_relu(inputs: int, outputs: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    """A convolution that keeps the size (but for its stride), batch norm and ReLU. The norm stands for a bias."""
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


def flat_size(features: nn.Sequential, input_size: tuple[int, int]) -> int:
    """Numbers that come out of a chain of convolutions and poolings for one picture of (height, width).

    Raises:
        ValueError: the picture is too small for them.
    """
    channels, sides = 0, input_size
    for layer in features.modules():
        if isinstance(layer, nn.Conv2d):
            channels = layer.out_channels
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d):
            sides = _side_after(layer, sides[0], 0), _side_after(layer, sides[1], 1)
        if min(sides) < 1:
            raise ValueError(f"a picture of {input_size[0]}x{input_size[1]} is too small for this network")
    return channels * sides[0] * sides[1]


def _side_after(layer: Any, side: int, axis: int) -> int:
    kernel, stride, padding = (
        value[axis] if isinstance(value, tuple) else value for value in (layer.kernel_size, layer.stride, layer.padding)
    )
    after: int = (side + 2 * padding - kernel) // stride + 1
    return after
