"""Augmentation of detection pictures: of whole batches on the device, or of single samples in workers."""

from __future__ import annotations

import torch

from zoo import Batch

BRIGHTNESS = 32  # of 255, added or taken away
CONTRAST = (0.6, 1.5)
CHANNEL_GAIN = (0.85, 1.15)
SATURATION = (0.4, 1.5)

FRACTION = 64  # gains are whole numbers of 1/64, so that products of pixels fit into 16 bits
GREY = (19, 38, 7)  # the weights of red, green and blue in a pixel's grey, in 1/64
AT_ONCE = 8  # pictures on a CPU, few enough to stay in its cache: twice as fast as all at once


class BatchAugment:
    """Mirrors half of the pictures left to right, and changes brightness, contrast, saturation and balance of colours.

    A batch has `input` uint8 (B, 3, H, W); `boxes` float (B, M, 4), corners in pixels; `labels` (B, M), -1 where there
    is no box; and perhaps a `mask` (B, H, W). It is changed on its own device, by the generator's draws alone. Colours
    are reckoned in 16-bit integers: a third of the time of floats on a CPU, and exact on every device.

    Args:
        upside_down: mirror half of the pictures top to bottom too, for things that have no upright position.
    """

    def __init__(self, upside_down: bool = False) -> None:
        self.upside_down = upside_down

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        across = _draw(batch, generator) < 0.5
        down = _draw(batch, generator) < 0.5 if self.upside_down else None
        colours = _draw_colours(batch, generator)
        changed = torch.empty_like(batch["input"])
        size = AT_ONCE if changed.device.type == "cpu" else len(changed)
        for start in range(0, len(changed), size):
            few = slice(start, start + size)
            mirrored = _mirrored(batch["input"][few], across[few], down if down is None else down[few])
            changed[few] = _recoloured(mirrored, *(colour[few] for colour in colours))
        result = {**batch, "input": changed, "boxes": _mirrored_boxes(batch, across, down)}
        if "mask" in batch:
            result["mask"] = _mirrored(batch["mask"], across, down)
        return result


def _draw(batch: Batch, generator: torch.Generator, *shape: int, low: float = 0, high: float = 1) -> torch.Tensor:
    """Uniform numbers (B, *shape) on the batch's device."""
    pictures: torch.Tensor = batch["input"]
    return low + (high - low) * torch.rand(len(pictures), *shape, generator=generator, device=pictures.device)


def _mirrored(pixels: torch.Tensor, across: torch.Tensor, down: torch.Tensor | None) -> torch.Tensor:
    """(B, ..., H, W) with the samples chosen by `across` (B,) turned left to right, by `down` top to bottom."""
    for side, chosen in ((-1, across), (-2, down)):
        if chosen is not None:
            # Picking whole pictures of both kinds copies them; `torch.where` would go through the pixels one by one.
            own = torch.arange(len(pixels), device=pixels.device)
            pixels = torch.cat([pixels, pixels.flip(side)]).index_select(0, own + len(pixels) * chosen)
    return pixels


def _mirrored_boxes(batch: Batch, across: torch.Tensor, down: torch.Tensor | None) -> torch.Tensor:
    """The boxes (B, M, 4) of the pictures that `_mirrored` makes."""
    height, width = batch["input"].shape[-2:]
    boxes: torch.Tensor = batch["boxes"]
    real = batch["labels"] >= 0
    for axis, length, chosen in ((0, width, across), (1, height, down)):
        if chosen is not None:
            flipped = boxes.clone()
            flipped[..., axis] = length - boxes[..., axis + 2]
            flipped[..., axis + 2] = length - boxes[..., axis]
            boxes = torch.where((chosen[:, None] & real)[..., None], flipped, boxes)
    return boxes


def _draw_colours(batch: Batch, generator: torch.Generator) -> tuple[torch.Tensor, ...]:
    """Gain (B, 3, 1, 1), share of grey (B, 1, 1, 1), both in 1/64, and new middle of the scale (B, 1, 1, 1)."""
    contrast, saturation = (
        _draw(batch, generator, 1, 1, 1, low=low, high=high) for low, high in (CONTRAST, SATURATION)
    )
    balance = _draw(batch, generator, 3, 1, 1, low=CHANNEL_GAIN[0], high=CHANNEL_GAIN[1])
    middle = _draw(batch, generator, 1, 1, 1, low=128 - BRIGHTNESS, high=128 + BRIGHTNESS)
    gain, grey = contrast * saturation * balance, contrast * (1 - saturation)
    return tuple(value.round().to(torch.int16) for value in (gain * FRACTION, grey * FRACTION, middle))


def _recoloured(
    pictures: torch.Tensor, gain: torch.Tensor, grey_share: torch.Tensor, middle: torch.Tensor
) -> torch.Tensor:
    """`middle + (gain * pixel + grey_share * grey) / 64`, of pixels around the middle of the scale; rounded down."""
    centred = pictures.to(torch.int16).sub_(128)
    red, green, blue = centred.unbind(1)
    grey = (red * GREY[0]).add_(green, alpha=GREY[1]).add_(blue, alpha=GREY[2]).bitwise_right_shift_(6)
    changed = centred.mul_(gain).add_(grey[:, None] * grey_share).bitwise_right_shift_(6)
    return changed.add_(middle).clamp_(0, 255).to(torch.uint8)


class SampleAugment:
    """Mirror, zoom out, crop around objects, resize, and change the colours (Liu et al. 2016, SSD, section 2.2).

    Called with a sample of `input` uint8 (3, h, w), `boxes` (N, 4) as corners in pixels and `labels` (N,), it returns
    the same at `size`, less the boxes that were cut off. Draws come from the global generators, which the core seeds
    for each sample. Channels are not swapped as in SSD: colour tells some classes apart.

    Args:
        size: height and width of what is returned.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        from torchvision.transforms import v2  # takes a second to import

        mirror = v2.RandomHorizontalFlip(0.5)
        zoom_out = v2.RandomZoomOut(fill=(124, 116, 104), side_range=(1.0, 2.0), p=0.3)
        self.crop = v2.RandomIoUCrop(min_scale=0.4)
        resize = v2.Resize(size, antialias=True)
        colours = v2.ColorJitter(brightness=0.25, contrast=0.4, saturation=0.4)
        self.before = v2.Compose([mirror, zoom_out])
        self.after = v2.Compose([resize, colours, v2.ClampBoundingBoxes(), v2.SanitizeBoundingBoxes(min_size=2)])

    def __call__(self, sample: Batch) -> Batch:
        from torchvision import tv_tensors

        boxes = tv_tensors.BoundingBoxes(sample["boxes"], format="XYXY", canvas_size=sample["input"].shape[-2:])
        changed = self.before({"input": tv_tensors.Image(sample["input"]), "boxes": boxes, "labels": sample["labels"]})
        if len(sample["labels"]):  # there is no overlap to ask for where nothing is
            changed = self.crop(changed)
        changed = self.after(changed)
        return {name: value.as_subclass(torch.Tensor) for name, value in changed.items()}
