"""Zoom: pictures of a batch brought nearer or moved away, with their boxes and masks, on the device."""

from __future__ import annotations

import math

import torch
from torch.nn import functional as F  # noqa: N812

from zoo import Batch

LEAST_LEFT = 0.4  # of a box's area: where less of it stays in the picture, the object is no longer one to find
GREY = 128  # what is shown beyond the picture's edge


class BatchZoom:
    """Scales every picture by its own factor and shows another part of it; half of the square ones are also turned.

    A batch has `input` uint8 (B, 3, H, W); `boxes` float (B, M, 4), corners in pixels; `labels` (B, M), -1 where there
    is no box; and perhaps a `mask` (B, H, W). Where the scale is above 1 the part lies within the picture, else the
    picture lies within what is shown. Boxes are cut at the edge. A turn is over the diagonal: with mirrored pictures,
    all four sides come to lie at the bottom.

    Args:
        factor: the scale is between 1 / factor and factor, evenly by its logarithm.
    """

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        pictures: torch.Tensor = batch["input"]
        share = torch.exp(_draw(pictures, generator) * math.log(self.factor))  # of the picture that is shown
        across, down = (_draw(pictures, generator) * (1 - share).abs() for _ in "xy")
        square = pictures.shape[-1] == pictures.shape[-2]
        turned = (_draw(pictures, generator) > 0) & square
        grid = _grid(share, across, down, turned, pictures)
        shown = F.grid_sample(pictures.float() - GREY, grid, align_corners=False) + GREY
        changed = {"input": shown.round_().to(torch.uint8), **_moved_boxes(batch, share, across, down, turned)}
        if "mask" in batch:
            mask = F.grid_sample(batch["mask"][:, None].float(), grid, mode="nearest", align_corners=False)
            changed["mask"] = mask[:, 0].to(batch["mask"].dtype)
        return {**batch, **changed}


def _draw(pictures: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """A number from -1 to 1 for every picture."""
    return 2 * torch.rand(len(pictures), generator=generator, device=pictures.device) - 1


def _grid(
    share: torch.Tensor, across: torch.Tensor, down: torch.Tensor, turned: torch.Tensor, pictures: torch.Tensor
) -> torch.Tensor:
    """Return where each pixel comes from, in a picture that reaches from -1 to 1."""
    plain, swapped = share * ~turned, share * turned
    places = torch.stack([plain, swapped, across, swapped, plain, down], dim=1).view(-1, 2, 3)
    return F.affine_grid(places, list(pictures.shape), align_corners=False)


def _moved_boxes(
    batch: Batch, share: torch.Tensor, across: torch.Tensor, down: torch.Tensor, turned: torch.Tensor
) -> dict[str, torch.Tensor]:
    boxes, labels = batch["boxes"], batch["labels"]
    height, width = batch["input"].shape[-2:]
    size = boxes.new_tensor([width, height])
    corners = boxes.unflatten(-1, (2, 2))  # (B, M, 2, 2): two corners of x and y
    offset = torch.stack([across, down], dim=1)[:, None, None]
    moved = ((2 * corners / size - 1 - offset) / share[:, None, None, None] + 1) / 2 * size
    moved = torch.where(turned[:, None, None, None], moved.flip(-1), moved)
    cut = torch.minimum(moved.clamp(min=0), size)
    whole, left = (extent.diff(dim=2).prod(dim=-1).squeeze(2) for extent in (moved, cut))
    kept = (labels >= 0) & (left >= LEAST_LEFT * whole) & (left > 0)
    return {"boxes": cut.flatten(-2) * kept[..., None], "labels": labels.where(kept, -1)}
