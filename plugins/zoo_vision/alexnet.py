"""AlexNet (Krizhevsky et al., 2012, ImageNet Classification with Deep Convolutional Neural Networks)."""

from __future__ import annotations

import torch
from torch import nn

from zoo_vision.bounds import Count, Factor, Share, Size
from zoo_vision.layers import ACTIVATIONS, POOLS, Activation, Pooling, flat_size


class AlexNet(nn.Module):
    """Five convolutions and three dense layers: (B, channels, H, W) -> logits (B, num_classes).

    The defaults are the book's network for 224x224 pictures (Dive into Deep Learning, 8.1): 46,764,746 parameters for
    ten classes and one channel. Dropout, ReLU and max pooling, its three novelties over LeNet, can be taken away one
    at a time.

    Args:
        input_size: height and width of the pictures, 65 and up.
        activation: after every layer but the last.
        pooling: 3x3 windows with stride 2, so that they overlap.
        dropout: after the two hidden dense layers.
        width: factor of all channels and of the hidden dense layers.
    """

    def __init__(
        self,
        num_classes: Count,
        channels: Count = 1,
        input_size: Size = (224, 224),
        activation: Activation = "relu",
        pooling: Pooling = "max",
        dropout: Share = 0.5,
        width: Factor = 1.0,
    ) -> None:
        super().__init__()
        act, pool = ACTIVATIONS[activation], POOLS[pooling]
        c96, c256, c384, hidden = (max(1, round(width * count)) for count in (96, 256, 384, 4096))
        self.features = nn.Sequential(
            *(nn.Conv2d(channels, c96, 11, stride=4, padding=1), act(), pool(3, 2)),
            *(nn.Conv2d(c96, c256, 5, padding=2), act(), pool(3, 2)),
            *(nn.Conv2d(c256, c384, 3, padding=1), act()),
            *(nn.Conv2d(c384, c384, 3, padding=1), act()),
            *(nn.Conv2d(c384, c256, 3, padding=1), act(), pool(3, 2)),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            *(nn.Linear(flat_size(self.features, input_size), hidden), act(), nn.Dropout(dropout)),
            *(nn.Linear(hidden, hidden), act(), nn.Dropout(dropout)),
            nn.Linear(hidden, num_classes),
        )

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.classifier(self.features(pictures))
        return logits
