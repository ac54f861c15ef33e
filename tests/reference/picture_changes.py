"""Changes to one picture, pixel by pixel: the obvious versions of `zoo_vision.augment`."""

from __future__ import annotations

import math

import torch


def cropped_by(picture: torch.Tensor, top: int, left: int) -> torch.Tensor:
    """(C, H, W) with its window moved down and right, black where there is no picture."""
    moved = torch.zeros_like(picture)
    _, height, width = picture.shape
    for y in range(height):
        for x in range(width):
            if 0 <= y + top < height and 0 <= x + left < width:
                moved[:, y, x] = picture[:, y + top, x + left]
    return moved


def resized_part(picture: torch.Tensor, across: float, down: float, wide: float, tall: float) -> torch.Tensor:
    """A part of (C, H, W) as large as before, sampled bilinearly; the nearest pixel where it leaves the picture.

    The part's middle is (across, down) and its size (wide, tall), where the picture reaches from -1 to 1.
    """
    _, height, width = picture.shape
    result = torch.empty_like(picture)
    for y in range(height):
        for x in range(width):
            u = across + wide * ((2 * x + 1) / width - 1)
            v = down + tall * ((2 * y + 1) / height - 1)
            result[:, y, x] = _at(picture, ((v + 1) * height - 1) / 2, ((u + 1) * width - 1) / 2)
    return result


def _at(picture: torch.Tensor, row: float, column: float) -> torch.Tensor:
    _, height, width = picture.shape
    row, column = min(max(row, 0), height - 1), min(max(column, 0), width - 1)
    top, left = math.floor(row), math.floor(column)
    below, right = min(top + 1, height - 1), min(left + 1, width - 1)
    down, across = row - top, column - left
    upper = picture[:, top, left] * (1 - across) + picture[:, top, right] * across
    lower = picture[:, below, left] * (1 - across) + picture[:, below, right] * across
    return upper * (1 - down) + lower * down


def recoloured(picture: torch.Tensor, brightness: float, contrast: float, saturation: float) -> torch.Tensor:
    """(C, H, W) of 0 to 255: away from its own grey, then from the mean of what came out, then brighter."""
    channels, height, width = picture.shape
    changed = picture.double().clone()
    for y in range(height):
        for x in range(width):
            if channels == 3:
                red, green, blue = changed[:, y, x].tolist()
                grey = 0.299 * red + 0.587 * green + 0.114 * blue
                changed[:, y, x] = torch.tensor([grey + saturation * (value - grey) for value in (red, green, blue)])
    mean = sum(changed.flatten().tolist()) / changed.numel()
    values = [min(max((mean + contrast * (value - mean)) * brightness, 0), 255) for value in changed.flatten().tolist()]
    return torch.tensor(values).view(channels, height, width)
