"""GoogLeNet (Szegedy et al., 2015, Going Deeper with Convolutions)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from zoo_vision.bounds import Count
from zoo_vision.layers import GlobalAverage

# Of each Inception block: channels of the 1x1 path; bottleneck and result of the 3x3 path, of the 5x5 path; and of the
# path that pools. The paper's table 1.
STAGES = (
    ((64, (96, 128), (16, 32), 32), (128, (128, 192), (32, 96), 64)),
    (
        (192, (96, 208), (16, 48), 64),
        (160, (112, 224), (24, 64), 64),
        (128, (128, 256), (24, 64), 64),
        (112, (144, 288), (32, 64), 64),
        (256, (160, 320), (32, 128), 128),
    ),
    ((256, (160, 320), (32, 128), 128), (384, (192, 384), (48, 128), 128)),
)


class GoogLeNet(nn.Module):
    """Nine Inception blocks: (B, channels, H, W) of any size from 33x33 up -> logits (B, num_classes).

    As in Dive into Deep Learning, 8.4: without the paper's auxiliary heads and local response norms.

    Args:
        bottleneck: 1x1 convolutions before the 3x3 and the 5x5 ones, as in the paper; without them these see all
            channels, and cost several times the parameters.
        batch_norm: after every convolution, as the networks after it have it.
    """

    def __init__(
        self, num_classes: Count, channels: Count = 3, bottleneck: bool = True, batch_norm: bool = False
    ) -> None:
        super().__init__()

        def conv(inputs: int, outputs: int, kernel: int, stride: int = 1) -> list[nn.Module]:
            convolution = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=not batch_norm)
            norm: list[nn.Module] = [nn.BatchNorm2d(outputs)] if batch_norm else []
            return [convolution, *norm, nn.ReLU(inplace=True)]

        layers = [*conv(channels, 64, 7, stride=2), nn.MaxPool2d(3, 2, padding=1)]
        layers += [*conv(64, 64, 1), *conv(64, 192, 3)]
        inputs = 192
        for blocks in STAGES:
            layers.append(nn.MaxPool2d(3, 2, padding=1))
            for block in blocks:
                inception = Inception(inputs, *block, conv, bottleneck)
                layers.append(inception)
                inputs = inception.outputs
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(GlobalAverage(), nn.Linear(inputs, num_classes))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.classifier(self.features(pictures))
        return logits


class Inception(nn.Module):
    """Four paths side by side, their channels joined: (B, inputs, H, W) -> (B, outputs, H, W).

    Args:
        one: channels of the 1x1 path.
        three, five: bottleneck and result of the 3x3 and the 5x5 path.
        pooled: channels of the path that pools first.
        conv: `conv(inputs, outputs, kernel)` -> layers.
        bottleneck: whether the bottlenecks are there.
    """

    def __init__(
        self,
        inputs: int,
        one: int,
        three: tuple[int, int],
        five: tuple[int, int],
        pooled: int,
        conv: Callable[[int, int, int], list[nn.Module]],
        bottleneck: bool = True,
    ) -> None:
        super().__init__()

        def narrowed(path: tuple[int, int], kernel: int) -> list[nn.Module]:
            narrow, wide = path
            return [*conv(inputs, narrow, 1), *conv(narrow, wide, kernel)] if bottleneck else conv(inputs, wide, kernel)

        paths = [conv(inputs, one, 1), narrowed(three, 3), narrowed(five, 5)]
        paths.append([nn.MaxPool2d(3, 1, padding=1), *conv(inputs, pooled, 1)])
        self.paths = nn.ModuleList(nn.Sequential(*path) for path in paths)
        self.outputs = one + three[1] + five[1] + pooled

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return torch.cat([path(features) for path in self.paths], dim=1)
