"""Masks in colours, alone and laid over pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from PIL import Image, ImageDraw

from zoo import class_color, legible

BACKGROUND = "background"
OPACITY = 0.6
GAP = 8  # pixels between pictures


def palette_picture(mask: torch.Tensor, classes: Sequence[str]) -> Image.Image:
    """A mask (H, W) as a palette picture: its values are the classes, its colours theirs; white is void."""
    picture = Image.fromarray(mask.numpy(), "P")
    picture.putpalette([part for color in _colors(classes) for part in color])
    return picture


def overlay(picture: Image.Image, mask: torch.Tensor, classes: Sequence[str], beside: bool = False) -> Image.Image:
    """The classes' colours over a picture of the mask's size, with a legend; background and void stay clear.

    With `beside`, the bare picture stands at its left.
    """
    colors = np.array(_colors(classes), dtype=np.uint8)[mask.numpy()]
    clear = [index for index, name in enumerate(classes) if name == BACKGROUND] + [255]
    opacity = np.where(np.isin(mask.numpy(), clear), 0, round(OPACITY * 255)).astype(np.uint8)
    painted = Image.composite(Image.fromarray(colors), picture, Image.fromarray(opacity))
    present = [index for index in np.unique(mask.numpy()).tolist() if index < len(classes) and index not in clear]
    _legend(painted, {index: classes[index] for index in present})
    if not beside:
        return painted
    row = Image.new("RGB", (2 * picture.width + GAP, picture.height), "white")
    row.paste(picture, (0, 0))
    row.paste(painted, (picture.width + GAP, 0))
    return row


def _colors(classes: Sequence[str]) -> list[tuple[int, int, int]]:
    """256 colours: of the classes, black for the background, white for what is none."""
    own = [(0, 0, 0) if name == BACKGROUND else class_color(index) for index, name in enumerate(classes)]
    return own + [(255, 255, 255)] * (256 - len(own))


def _legend(picture: Image.Image, names: Mapping[int, str]) -> None:
    """Names on their colours, line after line from the top left corner, as far as there is room."""
    size = max(10, round(max(picture.size) / 40))
    pen = ImageDraw.Draw(picture)
    left, top = 0, 0
    for label, name in names.items():
        name, font = legible(name, size, label)
        color = class_color(label)
        width = round(pen.textlength(name, font=font)) + 8
        if left + width > picture.width and left:
            left, top = 0, top + size + 6
        pen.rectangle((left, top, left + width, top + size + 5), fill=color)
        dark = 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2] < 140
        pen.text((left + 4, top + 1), name, fill="white" if dark else "black", font=font)
        left += width
