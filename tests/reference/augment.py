"""Mirroring and recolouring, one picture, box and pixel at a time."""

from __future__ import annotations

from collections.abc import Sequence

import torch


def mirrored(pixels: torch.Tensor, across: bool, down: bool) -> torch.Tensor:
    """(..., H, W), turned left to right where `across`, and top to bottom where `down`."""
    height, width = pixels.shape[-2:]
    result = torch.empty_like(pixels)
    for row in range(height):
        for column in range(width):
            from_row = height - 1 - row if down else row
            from_column = width - 1 - column if across else column
            result[..., row, column] = pixels[..., from_row, from_column]
    return result


def mirrored_box(box: Sequence[float], width: int, height: int, across: bool, down: bool) -> list[float]:
    """Corners in pixels."""
    left, top, right, bottom = box
    if across:
        left, right = width - right, width - left
    if down:
        top, bottom = height - bottom, height - top
    return [left, top, right, bottom]


def recoloured_pixel(pixel: Sequence[int], gain: Sequence[int], grey_share: int, middle: int) -> list[int]:
    """Red, green and blue, with gains and the share of grey in 1/64."""
    red, green, blue = (value - 128 for value in pixel)
    grey = (19 * red + 38 * green + 7 * blue) // 64
    changed = [
        (value * own + grey * grey_share) // 64 + middle for value, own in zip((red, green, blue), gain, strict=True)
    ]
    return [min(255, max(0, value)) for value in changed]
