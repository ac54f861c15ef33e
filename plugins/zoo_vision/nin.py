"""Network in Network (Lin et al., 2014)."""

from __future__ import annotations

import torch
from torch import nn

from zoo_vision.bounds import Count, Factor, Share
from zoo_vision.layers import GlobalAverage


class NiN(nn.Module):
    """Convolutions followed by 1x1 convolutions, and a mean over the picture in place of dense layers.

    (B, channels, H, W) of any size from 67x67 up -> logits (B, num_classes); as in Dive into Deep Learning, 8.3.

    Args:
        dropout: before the last block.
        width: factor of the channels.
    """

    def __init__(self, num_classes: Count, channels: Count = 3, dropout: Share = 0.5, width: Factor = 1.0) -> None:
        super().__init__()
        first, second, third = (max(1, round(width * count)) for count in (96, 256, 384))
        self.features = nn.Sequential(
            *(_block(channels, first, 11, stride=4), nn.MaxPool2d(3, 2)),
            *(_block(first, second, 5, padding=2), nn.MaxPool2d(3, 2)),
            *(_block(second, third, 3, padding=1), nn.MaxPool2d(3, 2)),
            nn.Dropout(dropout),
        )
        self.classifier = nn.Sequential(_block(third, num_classes, 3, padding=1), GlobalAverage())

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.classifier(self.features(pictures))
        return logits


def _block(inputs: int, outputs: int, kernel: int, stride: int = 1, padding: int = 0) -> nn.Sequential:
    return nn.Sequential(
        *(nn.Conv2d(inputs, outputs, kernel, stride, padding), nn.ReLU(inplace=True)),
        *(nn.Conv2d(outputs, outputs, 1), nn.ReLU(inplace=True)),
        *(nn.Conv2d(outputs, outputs, 1), nn.ReLU(inplace=True)),
    )
