"""What segmentation counts, pixel by pixel."""

from __future__ import annotations

import math

import torch


def ious(found: torch.Tensor, truth: torch.Tensor, classes: int, void: int) -> list[float]:
    """Intersection over union of each class over all pixels of (B, H, W); NaN where a class is on neither side."""
    shares = []
    for label in range(classes):
        intersection = union = 0
        for one, other in zip(found.flatten().tolist(), truth.flatten().tolist(), strict=True):
            if other != void:
                intersection += one == label and other == label
                union += one == label or other == label
        shares.append(intersection / union if union else math.nan)
    return shares


def dice_loss(logits: torch.Tensor, truth: torch.Tensor, void: int) -> float:
    """1 less the mean Dice coefficient of the classes in each picture; logits (B, C, H, W), truth (B, H, W)."""
    losses = []
    for picture, labels in zip(logits, truth, strict=True):
        pixels = picture.permute(1, 2, 0).reshape(-1, picture.shape[0]).tolist()
        counted = [
            ([math.exp(value - max(own)) for value in own], label)
            for own, label in zip(pixels, labels.flatten().tolist(), strict=True)
            if label != void
        ]
        for label in {label for _, label in counted}:
            shared = both = 0.0
            for own, true_label in counted:
                probability = own[label] / sum(own)
                shared += probability * (true_label == label)
                both += probability + (true_label == label)
            losses.append(1 - 2 * shared / both)
    return sum(losses) / len(losses) if losses else 0.0


def cropped(
    picture: torch.Tensor,
    mask: torch.Tensor,
    size: tuple[int, int],
    scale: float,
    place: tuple[float, float],
    mirrored: bool,
    outside: tuple[int, int],
) -> tuple[torch.Tensor, torch.Tensor]:
    """A window of a picture (C, H, W) that was enlarged by `scale`, bilinearly, and of its mask (H, W), the nearest.

    `place` says where, down and across: at -1 the window begins with the picture (or, where it is the larger of the
    two, the other way round), at 1 it ends with it. `outside` are the pixel and the mask beyond the edge.
    """
    channels, height, width = picture.shape
    corner = [
        (1 + where) / 2 * (side * scale - own) for where, side, own in zip(place, (height, width), size, strict=True)
    ]
    pixels, values = torch.empty(channels, *size), torch.empty(size, dtype=mask.dtype)

    def at(row: int, column: int) -> tuple[list[float], int]:
        if 0 <= row < height and 0 <= column < width:
            return picture[:, row, column].tolist(), int(mask[row, column])
        return [outside[0]] * channels, outside[1]

    for y in range(size[0]):
        for x in range(size[1]):
            across = size[1] - 1 - x if mirrored else x
            row, column = (y + 0.5 + corner[0]) / scale - 0.5, (across + 0.5 + corner[1]) / scale - 0.5
            top, left = math.floor(row), math.floor(column)
            for channel in range(channels):
                upper, lower = (
                    at(line, left)[0][channel] * (left + 1 - column) + at(line, left + 1)[0][channel] * (column - left)
                    for line in (top, top + 1)
                )
                pixels[channel, y, x] = upper * (top + 1 - row) + lower * (row - top)
            values[y, x] = at(math.floor(row + 0.5), math.floor(column + 0.5))[1]
    return pixels, values
