"""What style transfer compares, number by number."""

from __future__ import annotations

from itertools import pairwise

import torch


def gram(features: torch.Tensor) -> list[list[float]]:
    """(1, C, H, W) -> C rows of C: the sum over all places of one channel times another, over C x H x W."""
    channels = [channel.flatten().tolist() for channel in features[0]]
    count = sum(map(len, channels))
    return [[sum(a * b for a, b in zip(one, other, strict=True)) / count for other in channels] for one in channels]


def total_variation(picture: torch.Tensor) -> float:
    """(1, C, H, W): half the mean step down and half the mean step to the right."""
    down, right = [], []
    for rows in picture[0].tolist():
        for row, below in pairwise(rows):
            down += [abs(a - b) for a, b in zip(row, below, strict=True)]
        for row in rows:
            right += [abs(a - b) for a, b in pairwise(row)]
    return (sum(down) / len(down) + sum(right) / len(right)) / 2
