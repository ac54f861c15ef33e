"""Changes to training pictures and their masks together, drawn anew for every picture of every batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch.nn import functional as F  # noqa: N812

from zoo import Batch
from zoo_vision.augment import color
from zoo_vision.segmentation.masks import VOID

Change = Literal["scale", "flip", "color"]

SCALE = (0.5, 2.0)  # of `scale` (Chen et al., 2017, Rethinking Atrous Convolution, section 4.1)
GREY = 128  # what is shown beyond a picture's edge; there the mask is void


class RandomCrop:
    """Another part of every picture, the same of its mask; a picture smaller than the crop lies within it.

    A batch has `input` uint8 (B, 3, H, W) and `mask` uint8 (B, H, W). Pictures are interpolated; masks cannot be, so
    the nearest pixel is taken (notes 46).

    Args:
        size: height and width of what is returned.
        changes: `scale`: by half to twice, evenly by its logarithm; `flip`: half of the pictures are mirrored;
            `color`: brightness, contrast and saturation.
    """

    def __init__(self, size: tuple[int, int], changes: Sequence[Change]) -> None:
        self.size, self.changes = size, changes

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        pictures: torch.Tensor = batch["input"]
        grid = self._grid(pictures, generator)
        shown = F.grid_sample(pictures.float() - GREY, grid, align_corners=False) + GREY
        cropped = shown.round_().to(torch.uint8)
        # Counted from void, so that the zeros beyond the edge become void.
        from_void = (batch["mask"] ^ VOID)[:, None].float()
        mask = F.grid_sample(from_void, grid, mode="nearest", align_corners=False)[:, 0].to(torch.uint8) ^ VOID
        if "color" in self.changes:
            cropped = color(cropped, generator)
        return {**batch, "input": cropped, "mask": mask}

    def _grid(self, pictures: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return where each pixel comes from, in a picture that reaches from -1 to 1."""
        count, _, height, width = pictures.shape

        def draw(low: float = -1, high: float = 1) -> torch.Tensor:
            return low + (high - low) * torch.rand(count, generator=generator, device=pictures.device)

        scale = draw(*map(math.log, SCALE)).exp() if "scale" in self.changes else torch.ones_like(draw())
        down, across = self.size[0] / (scale * height), self.size[1] / (scale * width)
        top, left = draw() * (1 - down).abs(), draw() * (1 - across).abs()
        mirrored = torch.where(draw() < 0, -across, across) if "flip" in self.changes else across
        zero = torch.zeros_like(scale)
        places = torch.stack([mirrored, zero, left, zero, down, top], dim=1).view(-1, 2, 3)
        return F.affine_grid(places, [count, 3, *self.size], align_corners=False)
