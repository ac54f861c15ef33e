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
