"""VGG (Simonyan and Zisserman, 2015, Very Deep Convolutional Networks for Large-Scale Image Recognition)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn

from zoo_vision.bounds import Count, Factor, Share, Size
from zoo_vision.layers import flat_size

# Convolutions in each of the five blocks, by depth: the paper's table 1, columns A, B, D and E.
CONVOLUTIONS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
CHANNELS = (64, 128, 256, 512, 512)


class VGG(nn.Module):
    """Blocks of 3x3 convolutions, each halving the picture, then dense layers: (B, channels, H, W) -> (B, num_classes).

    `depth = 11, width = 0.25` is what the book trains on Fashion-MNIST (Dive into Deep Learning, 8.2). The parameters
    have torchvision's names and, in full width at 224x224, its shapes: its weights fit.

    Args:
        input_size: height and width of the pictures, 32 and up.
        depth: layers with weights.
        width: factor of the channels.
        hidden: width of the two dense layers.
        dropout: after each of the two.
        batch_norm: after every convolution.
    """

    def __init__(
        self,
        num_classes: Count,
        channels: Count = 3,
        input_size: Size = (224, 224),
        depth: Literal[11, 13, 16, 19] = 11,
        width: Factor = 1.0,
        hidden: Count = 4096,
        dropout: Share = 0.5,
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = channels
        for convolutions, full in zip(CONVOLUTIONS[depth], CHANNELS, strict=True):
            for _ in range(convolutions):
                outputs = max(1, round(width * full))
                layers.append(nn.Conv2d(inputs, outputs, 3, padding=1))
                layers += [nn.BatchNorm2d(outputs)] if batch_norm else []
                layers.append(nn.ReLU(inplace=True))
                inputs = outputs
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            *(nn.Linear(flat_size(self.features, input_size), hidden), nn.ReLU(inplace=True), nn.Dropout(dropout)),
            *(nn.Linear(hidden, hidden), nn.ReLU(inplace=True), nn.Dropout(dropout)),
            nn.Linear(hidden, num_classes),
        )

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.classifier(self.features(pictures).flatten(1))
        return logits
