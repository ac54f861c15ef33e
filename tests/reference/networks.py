"""The networks of Dive into Deep Learning, layer after layer as its sections list them.

Layers find out their inputs when first called, so no size is computed here. Where a batch norm follows, the book's
convolutions have a bias that the norm takes away again; those have none.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import nn

Layer = Callable[[], nn.Module]


class EverySecond(nn.Module):
    """Every second row and column."""

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return pictures[:, :, ::2, ::2]


ACTIVATIONS: dict[str, Layer] = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "gelu": nn.GELU}


def pool_of(name: str, side: int) -> Layer:
    """A pooling layer that halves the picture, with windows of a side."""
    return {"max": partial(nn.MaxPool2d, side, 2), "average": partial(nn.AvgPool2d, side, 2), "stride": EverySecond}[
        name
    ]


def mlp(widths: list[int], shares: list[float], outputs: int, activation: Layer = nn.ReLU) -> nn.Module:
    """Sections 5.1 and 5.6."""
    layers: list[nn.Module] = [nn.Flatten()]
    for width, share in zip(widths, shares, strict=True):
        layers += [nn.LazyLinear(width), activation(), nn.Dropout(share)]
    return nn.Sequential(*layers, nn.LazyLinear(outputs))


def lenet(activation: Layer = nn.Sigmoid, pooling: str = "average") -> nn.Module:
    """Section 7.6."""
    pool = pool_of(pooling, 2)
    return nn.Sequential(
        nn.LazyConv2d(6, kernel_size=5, padding=2), activation(), pool(),
        nn.LazyConv2d(16, kernel_size=5), activation(), pool(),
        nn.Flatten(),
        nn.LazyLinear(120), activation(),
        nn.LazyLinear(84), activation(),
        nn.LazyLinear(10),
    )  # fmt: skip


def lenet_with_norms(activation: Layer = nn.Sigmoid) -> nn.Module:
    """Section 8.5.5."""
    return nn.Sequential(
        nn.LazyConv2d(6, kernel_size=5, padding=2), nn.LazyBatchNorm2d(), activation(), nn.AvgPool2d(2, 2),
        nn.LazyConv2d(16, kernel_size=5), nn.LazyBatchNorm2d(), activation(), nn.AvgPool2d(2, 2),
        nn.Flatten(),
        nn.LazyLinear(120), nn.LazyBatchNorm1d(), activation(),
        nn.LazyLinear(84), nn.LazyBatchNorm1d(), activation(),
        nn.LazyLinear(10),
    )  # fmt: skip


def alexnet(width: float, activation: Layer = nn.ReLU, pooling: str = "max", dropout: float = 0.5) -> nn.Module:
    """Section 8.1, its channels times `width`."""
    pool = pool_of(pooling, 3)

    def few(channels: int) -> int:
        return round(channels * width)

    return nn.Sequential(
        nn.LazyConv2d(few(96), kernel_size=11, stride=4, padding=1), activation(), pool(),
        nn.LazyConv2d(few(256), kernel_size=5, padding=2), activation(), pool(),
        nn.LazyConv2d(few(384), kernel_size=3, padding=1), activation(),
        nn.LazyConv2d(few(384), kernel_size=3, padding=1), activation(),
        nn.LazyConv2d(few(256), kernel_size=3, padding=1), activation(), pool(),
        nn.Flatten(),
        nn.LazyLinear(few(4096)), activation(), nn.Dropout(dropout),
        nn.LazyLinear(few(4096)), activation(), nn.Dropout(dropout),
        nn.LazyLinear(10),
    )  # fmt: skip


def vgg(blocks: list[tuple[int, int]], hidden: int, dropout: float, batch_norm: bool) -> nn.Module:
    """Section 8.2; a block is the number of its convolutions and their channels."""
    layers: list[nn.Module] = []
    for convolutions, channels in blocks:
        for _ in range(convolutions):
            layers.append(nn.LazyConv2d(channels, kernel_size=3, padding=1))
            if batch_norm:
                layers.append(nn.LazyBatchNorm2d())
            layers.append(nn.ReLU())
        layers.append(nn.MaxPool2d(2, 2))
    return nn.Sequential(
        *layers, nn.Flatten(),
        nn.LazyLinear(hidden), nn.ReLU(), nn.Dropout(dropout),
        nn.LazyLinear(hidden), nn.ReLU(), nn.Dropout(dropout),
        nn.LazyLinear(10),
    )  # fmt: skip


def nin(width: float, dropout: float) -> nn.Module:
    """Section 8.3, its channels times `width`."""

    def block(channels: int, kernel: int, stride: int, padding: int) -> list[nn.Module]:
        return [
            nn.LazyConv2d(channels, kernel, stride, padding), nn.ReLU(),
            nn.LazyConv2d(channels, kernel_size=1), nn.ReLU(),
            nn.LazyConv2d(channels, kernel_size=1), nn.ReLU(),
        ]  # fmt: skip

    return nn.Sequential(
        *block(round(96 * width), 11, 4, 0), nn.MaxPool2d(3, 2),
        *block(round(256 * width), 5, 1, 2), nn.MaxPool2d(3, 2),
        *block(round(384 * width), 3, 1, 1), nn.MaxPool2d(3, 2),
        nn.Dropout(dropout),
        *block(10, 3, 1, 1),
        nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(),
    )  # fmt: skip


class Branches(nn.Module):
    """Layers side by side, their outputs joined channel after channel."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return torch.cat([branch(features) for branch in self.branches], dim=1)


def googlenet(bottleneck: bool = True, batch_norm: bool = False) -> nn.Module:
    """Section 8.4."""

    def conv(channels: int, kernel: int, stride: int = 1, padding: int = 0) -> list[nn.Module]:
        if batch_norm:
            return [nn.LazyConv2d(channels, kernel, stride, padding, bias=False), nn.LazyBatchNorm2d(), nn.ReLU()]
        return [nn.LazyConv2d(channels, kernel, stride, padding), nn.ReLU()]

    def inception(c1: int, c2: tuple[int, int], c3: tuple[int, int], c4: int) -> nn.Module:
        narrow2, narrow3 = (conv(c2[0], 1), conv(c3[0], 1)) if bottleneck else ([], [])
        return Branches(
            nn.Sequential(*conv(c1, 1)),
            nn.Sequential(*narrow2, *conv(c2[1], 3, padding=1)),
            nn.Sequential(*narrow3, *conv(c3[1], 5, padding=2)),
            nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), *conv(c4, 1)),
        )

    def halved() -> nn.Module:
        return nn.MaxPool2d(kernel_size=3, stride=2, padding=1)

    return nn.Sequential(
        *conv(64, 7, 2, 3), halved(),
        *conv(64, 1), *conv(192, 3, padding=1), halved(),
        inception(64, (96, 128), (16, 32), 32),
        inception(128, (128, 192), (32, 96), 64), halved(),
        inception(192, (96, 208), (16, 48), 64),
        inception(160, (112, 224), (24, 64), 64),
        inception(128, (128, 256), (24, 64), 64),
        inception(112, (144, 288), (32, 64), 64),
        inception(256, (160, 320), (32, 128), 128), halved(),
        inception(256, (160, 320), (32, 128), 128),
        inception(384, (192, 384), (48, 128), 128),
        nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(), nn.LazyLinear(10),
    )  # fmt: skip


def densenet(blocks: list[int], growth: int) -> nn.Module:
    """Section 8.7."""

    def conv(channels: int, kernel: int) -> list[nn.Module]:
        return [nn.LazyBatchNorm2d(), nn.ReLU(), nn.LazyConv2d(channels, kernel, padding=kernel // 2, bias=False)]

    layers = [nn.LazyConv2d(64, 7, 2, 3, bias=False), nn.LazyBatchNorm2d(), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    channels = 64
    for number, convolutions in enumerate(blocks):
        layers += [Branches(nn.Identity(), nn.Sequential(*conv(growth, 3))) for _ in range(convolutions)]
        channels += growth * convolutions
        if number < len(blocks) - 1:
            channels //= 2
            layers += [*conv(channels, 1), nn.AvgPool2d(2, 2)]
    return nn.Sequential(
        *layers, nn.LazyBatchNorm2d(), nn.ReLU(), nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(), nn.LazyLinear(10)
    )
