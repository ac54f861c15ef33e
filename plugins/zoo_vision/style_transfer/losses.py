"""How far a picture is from its content and from its style, and how rough it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from zoo_vision.bounds import NotNegative

PARTS = ("content", "style", "tv")


class StyleTransferLoss(nn.Module):
    """Content, style and total variation, each times its weight (Gatys et al., 2016, section 2; the book's 14.12.5).

    An evaluation also reports the weights that were used: these here, times the model's factors where it balances.

    Args:
        content: weight of the features' squared error.
        style: of the Gram matrices' (the book: 1,000 to 10,000, unbalanced).
        tv: of the total variation (the book: 10, unbalanced).
    """

    def __init__(self, content: NotNegative = 1.0, style: NotNegative = 1.0, tv: NotNegative = 1.0) -> None:
        super().__init__()
        self.weights = dict(zip(PARTS, (content, style, tv), strict=True))

    def forward(self, outputs: Mapping[str, Any], target: Any) -> dict[str, torch.Tensor]:
        weights = self._used(outputs)
        return {part: weights[part] * value for part, value in distances(outputs).items()}

    def figures(self, outputs: Mapping[str, Any], target: Any) -> dict[str, torch.Tensor]:
        """The weights used."""
        return {f"weight_{part}": weight for part, weight in self._used(outputs).items()}

    def _used(self, outputs: Mapping[str, Any]) -> dict[str, torch.Tensor]:
        return {part: self.weights[part] * factor for part, factor in zip(PARTS, outputs["scale"], strict=True)}


def distances(outputs: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """The three losses before any weight: numbers without a dimension."""
    content = [F.mse_loss(found, wanted) for found, wanted in outputs["content"]]
    style = [F.mse_loss(found, wanted) for found, wanted in outputs["style"]]
    return {"content": sum(content), "style": sum(style), "tv": total_variation(outputs["picture"])}  # type: ignore[dict-item]


def gram(features: torch.Tensor) -> torch.Tensor:
    """(1, C, H, W) -> (C, C): how strongly the channels occur together, over C x H x W (the book's 14.12.5.2)."""
    flat = features.flatten(2)[0]
    return flat @ flat.T / flat.numel()


def total_variation(picture: torch.Tensor) -> torch.Tensor:
    """(B, C, H, W) -> half the mean step from a pixel to the one below and to the one at its right."""
    down = (picture[..., 1:, :] - picture[..., :-1, :]).abs().mean()
    right = (picture[..., 1:] - picture[..., :-1]).abs().mean()
    return (down + right) / 2
