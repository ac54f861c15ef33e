"""TinySSD layer by layer, as Dive into Deep Learning's section 14.7 describes it, and its anchors box by box."""

from __future__ import annotations

import math

import torch
from torch import nn

SIZES = [[0.2, 0.272], [0.37, 0.447], [0.54, 0.619], [0.71, 0.79], [0.88, 0.961]]
RATIOS = [1, 2, 0.5]


class BookSSD(nn.Module):
    """The network for one picture size; called, it returns logits (B, A, classes + 1) and offsets (B, A, 4)."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes
        base = nn.Sequential(*halve(3, 16), *halve(16, 32), *halve(32, 64))
        later = [nn.Sequential(*halve(inputs, 128)) for inputs in (64, 128, 128)]
        self.blocks = nn.ModuleList([base, *later, nn.AdaptiveMaxPool2d((1, 1))])
        widths = (64, 128, 128, 128, 128)
        self.class_heads = nn.ModuleList(nn.Conv2d(width, 4 * (num_classes + 1), 3, padding=1) for width in widths)
        self.box_heads = nn.ModuleList(nn.Conv2d(width, 4 * 4, 3, padding=1) for width in widths)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        logits, offsets = [], []
        for block, class_head, box_head in zip(self.blocks, self.class_heads, self.box_heads, strict=True):
            x = block(x)
            logits.append(class_head(x).permute(0, 2, 3, 1).flatten(1))
            offsets.append(box_head(x).permute(0, 2, 3, 1).flatten(1))
        batch = len(x)
        return torch.cat(logits, 1).view(batch, -1, self.num_classes + 1), torch.cat(offsets, 1).view(batch, -1, 4)


def halve(inputs: int, outputs: int) -> list[nn.Module]:
    """Two convolutions with batch norm and ReLU, then pooling to half the size."""
    layers: list[nn.Module] = []
    for width in (inputs, outputs):
        layers += [nn.Conv2d(width, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]
    return [*layers, nn.MaxPool2d(2)]


def anchors(cells: list[int]) -> list[list[float]]:
    """Centre x and y, width and height of every anchor of square maps with so many cells a side."""
    found = []
    for count, (size, larger) in zip(cells, SIZES, strict=True):
        shapes = [(size, RATIOS[0]), (larger, RATIOS[0]), (size, RATIOS[1]), (size, RATIOS[2])]
        for row in range(count):
            for column in range(count):
                for side, ratio in shapes:
                    width, height = side * math.sqrt(ratio), side / math.sqrt(ratio)
                    found.append([(column + 0.5) / count, (row + 0.5) / count, width, height])
    return found
