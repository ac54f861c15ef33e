"""Changes to training pictures, drawn anew for every picture of every batch, on the device where it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch.nn import functional as F  # noqa: N812

from zoo import Batch, seeded

Change = Literal["flip", "vertical_flip", "crop", "resized_crop", "color", "rand_augment", "mixup", "cutmix"]

CROP_MARGIN = 8  # a crop moves a picture by up to an eighth of its side
RESIZED_AREA, RESIZED_RATIO = (0.35, 1.0), (3 / 4, 4 / 3)  # of `resized_crop` (Szegedy et al., 2015, section 6)
COLOR = 0.4  # brightness, contrast and saturation are multiplied by 1 - COLOR to 1 + COLOR


class Augment:
    """Named changes, one after the other, to a batch of `input` uint8 (B, C, H, W) and `label` (B,).

    - `flip`, `vertical_flip`: half of the pictures are mirrored.
    - `crop`: moved by up to an eighth of the side, black where nothing was (He et al., 2016, section 4.2).
    - `resized_crop`: a part of 35 to 100% of the area, scaled to the full size.
    - `color`: brightness, contrast and saturation.
    - `rand_augment`: two of torchvision's changes to each picture (Cubuk et al., 2020). Picture by picture on the
      CPU, so slower than the others.
    - `mixup` (Zhang et al., 2018), `cutmix` (Yun et al., 2019): pictures are mixed in pairs, and `label` becomes
      shares (B, C) of the classes.

    torchvision's own flips, crops and colours would draw once for a whole batch.

    Args:
        changes: names, in the order of their use.
        num_classes: for the shares.
    """

    def __init__(self, changes: Sequence[Change], num_classes: int) -> None:
        self.changes = changes
        self.num_classes = num_classes

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        for change in self.changes:
            if change in ("mixup", "cutmix"):
                batch = self._mixed(batch, change, generator)
            else:
                batch = {**batch, "input": CHANGES[change](batch["input"], generator)}
        return batch

    def _mixed(self, batch: Batch, change: Change, generator: torch.Generator) -> Batch:
        from torchvision.transforms import v2  # takes a second to import

        mix = (v2.MixUp if change == "mixup" else v2.CutMix)(num_classes=self.num_classes)
        with seeded(generator.initial_seed()):
            pictures, labels = mix(batch["input"].float(), batch["label"])
        return {**batch, "input": pictures.round().to(torch.uint8), "label": labels}


def flip(pictures: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Half of the pictures mirrored left to right."""
    return _flipped(pictures, generator, -1)


def vertical_flip(pictures: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Half of the pictures mirrored top to bottom."""
    return _flipped(pictures, generator, -2)


def _flipped(pictures: torch.Tensor, generator: torch.Generator, side: int) -> torch.Tensor:
    chosen = _uniform(pictures, generator, 0, 1) < 0.5
    # Picking whole pictures of both kinds copies them; `torch.where` would go through the pixels one by one.
    own = torch.arange(len(pictures), device=pictures.device)
    return torch.cat([pictures, pictures.flip(side)]).index_select(0, own + len(pictures) * chosen)


def crop(pictures: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Every picture moved by up to an eighth of its side."""
    height, width = pictures.shape[-2:]
    down, across = math.ceil(height / CROP_MARGIN), math.ceil(width / CROP_MARGIN)
    padded = F.pad(pictures, (across, across, down, down))
    tops = _whole(pictures, generator, 2 * down + 1)[:, None] + torch.arange(height, device=pictures.device)
    lefts = _whole(pictures, generator, 2 * across + 1)[:, None] + torch.arange(width, device=pictures.device)
    own = torch.arange(len(pictures), device=pictures.device)
    moved = padded[own[:, None, None], :, tops[:, :, None], lefts[:, None, :]]
    return moved.permute(0, 3, 1, 2).contiguous()


def resized_crop(pictures: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """A part of every picture, of random area, shape and place, scaled to the full size."""
    area = _uniform(pictures, generator, *RESIZED_AREA)
    ratio = _uniform(pictures, generator, *map(math.log, RESIZED_RATIO)).exp()
    width, height = (area * ratio).sqrt().clamp(max=1), (area / ratio).sqrt().clamp(max=1)
    across, down = (_uniform(pictures, generator, -1, 1) * (1 - share) for share in (width, height))
    zero = torch.zeros_like(width)
    places = torch.stack([width, zero, across, zero, height, down], dim=1).view(-1, 2, 3)
    grid = F.affine_grid(places, list(pictures.shape), align_corners=False)
    scaled = F.grid_sample(pictures.float(), grid, padding_mode="border", align_corners=False)
    return scaled.round_().to(torch.uint8)


def color(pictures: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Brightness, contrast and saturation of every picture changed; grey pictures have no saturation."""
    brightness, contrast, saturation = (
        _uniform(pictures, generator, 1 - COLOR, 1 + COLOR)[:, None, None, None] for _ in range(3)
    )
    changed = pictures.float()
    if pictures.shape[1] == 3:
        grey = (changed * changed.new_tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(dim=1, keepdim=True)
        changed = torch.lerp(grey, changed, saturation)
    changed = torch.lerp(changed.mean(dim=(1, 2, 3), keepdim=True), changed, contrast) * brightness
    return changed.clamp_(0, 255).round_().to(torch.uint8)


def rand_augment(pictures: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """torchvision's RandAugment, drawn for every picture."""
    from torchvision.transforms import v2

    change = v2.RandAugment()
    with seeded(generator.initial_seed()):
        return torch.stack([change(picture) for picture in pictures])


CHANGES = {
    "flip": flip,
    "vertical_flip": vertical_flip,
    "crop": crop,
    "resized_crop": resized_crop,
    "color": color,
    "rand_augment": rand_augment,
}


def _uniform(pictures: torch.Tensor, generator: torch.Generator, low: float, high: float) -> torch.Tensor:
    """One number for every picture (B,)."""
    return low + (high - low) * torch.rand(len(pictures), generator=generator, device=pictures.device)


def _whole(pictures: torch.Tensor, generator: torch.Generator, end: int) -> torch.Tensor:
    """One whole number below `end` for every picture (B,)."""
    return torch.randint(end, (len(pictures),), generator=generator, device=pictures.device)
