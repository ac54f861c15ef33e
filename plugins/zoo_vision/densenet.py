"""DenseNet (Huang et al., 2017, Densely Connected Convolutional Networks)."""

from __future__ import annotations

import torch
from torch import nn

from zoo_vision.bounds import Count
from zoo_vision.layers import GlobalAverage, conv_norm_relu


class DenseNet(nn.Module):
    """Every layer of a block sees the channels of all before it: (B, channels, H, W) -> logits (B, num_classes).

    The defaults are the network of Dive into Deep Learning, 8.7, for pictures of 64x64 and up.

    Args:
        blocks: 3x3 convolutions in each dense block; between blocks both channels and sides are halved.
        growth: channels that each of them adds.
    """

    def __init__(
        self, num_classes: Count, channels: Count = 3, blocks: tuple[Count, ...] = (4, 4, 4, 4), growth: Count = 32
    ) -> None:
        super().__init__()
        width = 64
        layers = [*conv_norm_relu(channels, width, 7, stride=2), nn.MaxPool2d(3, 2, padding=1)]
        for number, convolutions in enumerate(blocks):
            if number:
                layers += [*_norm_relu_conv(width, width // 2, 1), nn.AvgPool2d(2)]
                width //= 2
            for _ in range(convolutions):
                layers.append(_Joining(width, growth))
                width += growth
        self.features = nn.Sequential(*layers, nn.BatchNorm2d(width), nn.ReLU(inplace=True))
        self.classifier = nn.Sequential(GlobalAverage(), nn.Linear(width, num_classes))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.classifier(self.features(pictures))
        return logits


class _Joining(nn.Module):
    """(B, inputs, H, W) -> (B, inputs + growth, H, W)."""

    def __init__(self, inputs: int, growth: int) -> None:
        super().__init__()
        self.convolution = nn.Sequential(*_norm_relu_conv(inputs, growth, 3))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return torch.cat([features, self.convolution(features)], dim=1)


def _norm_relu_conv(inputs: int, outputs: int, kernel: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(inputs), nn.ReLU(), nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)]
