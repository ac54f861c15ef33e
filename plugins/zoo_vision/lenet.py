"""LeNet-5 (LeCun et al., 1998, Gradient-Based Learning Applied to Document Recognition)."""

from __future__ import annotations

import torch
from torch import nn

from zoo_vision.bounds import Count, Size
from zoo_vision.layers import ACTIVATIONS, POOLS, Activation, Pooling, flat_size


class LeNet(nn.Module):
    """Two convolutions with pooling, then three dense layers: (B, channels, H, W) -> logits (B, num_classes).

    The defaults are the book's network (Dive into Deep Learning, 7.6): 61,706 parameters for 28x28 pictures of one
    channel. Halve the picture, multiply the channels.

    Args:
        input_size: height and width of the pictures.
        activation: after every layer but the last.
        pooling: after every convolution.
        batch_norm: before every activation (Ioffe and Szegedy, 2015; Dive into Deep Learning, 8.5).
    """

    def __init__(
        self,
        num_classes: Count,
        channels: Count = 1,
        input_size: Size = (28, 28),
        activation: Activation = "sigmoid",
        pooling: Pooling = "average",
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        act, pool = ACTIVATIONS[activation], POOLS[pooling]

        def after(norm: nn.Module) -> list[nn.Module]:
            return [norm, act()] if batch_norm else [act()]

        self.features = nn.Sequential(
            *(nn.Conv2d(channels, 6, 5, padding=2), *after(nn.BatchNorm2d(6)), pool(2)),
            *(nn.Conv2d(6, 16, 5), *after(nn.BatchNorm2d(16)), pool(2)),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            *(nn.Linear(flat_size(self.features, input_size), 120), *after(nn.BatchNorm1d(120))),
            *(nn.Linear(120, 84), *after(nn.BatchNorm1d(84))),
            nn.Linear(84, num_classes),
        )

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.classifier(self.features(pictures))
        return logits
