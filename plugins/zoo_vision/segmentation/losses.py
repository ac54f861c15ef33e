"""Losses of masks."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from zoo_vision.segmentation.masks import VOID


class Dice(nn.Module):
    """1 less the Dice coefficient of probabilities and truth, the mean over the classes that occur in each picture.

    Logits (B, C, H, W) against classes (B, H, W). Every class of a picture counts the same, however few its pixels
    (Milletari et al., 2016, V-Net, section 3, without the squares). Without any pixel that counts the loss is 0.

    Args:
        ignore_index: the class that does not count.
    """

    def __init__(self, ignore_index: int = VOID) -> None:
        super().__init__()
        self.ignore_index = ignore_index

    def forward(self, outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        counted = target != self.ignore_index
        truth = F.one_hot(target.where(counted, 0), outputs.shape[1]).permute(0, 3, 1, 2) * counted[:, None]
        found = outputs.softmax(dim=1) * counted[:, None]
        axes = (2, 3)
        pixels = truth.sum(axes)
        overlap = 2 * (found * truth).sum(axes) / (found.sum(axes) + pixels).clamp(min=1e-6)
        return ((1 - overlap) * (pixels > 0)).sum() / self.count(outputs, target).clamp(min=1)

    def count(self, outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return what the loss is a mean over: classes that occur in a picture, added up over the pictures."""
        truth = F.one_hot(target.where(target != self.ignore_index, outputs.shape[1]), outputs.shape[1] + 1)
        return truth[..., :-1].any(2).any(1).sum()
