"""Pictures from files, and boxes drawn on pictures."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont, ImageOps, UnidentifiedImageError

from zoo import InputError

SHOWN_SIDE = 512  # pictures smaller than this are enlarged, or a label would hide its box


def read_picture(path: str | Path) -> Image.Image:
    """A picture file as RGB, turned upright as its EXIF orientation says. What is transparent becomes white.

    Raises:
        zoo.InputError: the file is missing, no picture, or cut short.
    """
    try:
        with Image.open(path) as opened:
            picture = ImageOps.exif_transpose(opened)
            if picture.mode.startswith(("I", "F")):  # 16 bits a pixel; `convert` would cut them off at 255
                picture = Image.fromarray((np.asarray(picture, dtype=np.float64) / 257).clip(0, 255).astype(np.uint8))
            if picture.has_transparency_data:
                picture = picture.convert("RGBA")
                picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
            return picture.convert("RGB")
    except FileNotFoundError as error:
        raise InputError(f"there is no picture {path}") from error
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{path} cannot be read as a picture: {error}") from error


def to_tensor(picture: Image.Image, size: Sequence[int]) -> torch.Tensor:
    """An RGB picture resized to (height, width), its shape let go: uint8 (3, height, width)."""
    height, width = size
    resized = picture.resize((width, height), Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(resized)).permute(2, 0, 1).contiguous()


def to_picture(tensor: torch.Tensor) -> Image.Image:
    """uint8 (3, H, W) -> a picture."""
    return Image.fromarray(tensor.permute(1, 2, 0).contiguous().cpu().numpy())


def draw_boxes(
    picture: Image.Image, boxes: Sequence[Sequence[float]], captions: Sequence[str], labels: Sequence[int]
) -> Image.Image:
    """A copy with corner boxes, in the picture's pixels, each with its caption, in the colour of its class.

    A small picture is enlarged by a whole number first.
    """
    enlarged = max(1, round(SHOWN_SIDE / max(picture.size)))
    drawn = picture.resize((picture.width * enlarged, picture.height * enlarged), Image.Resampling.BICUBIC)
    unit = max(drawn.size) / 400
    line = max(2, round(unit))
    font = ImageFont.load_default(size=max(12, round(10 * unit)))
    pen = ImageDraw.Draw(drawn)
    for box, caption, label in zip(boxes, captions, labels, strict=True):
        colour = class_colour(label)
        left, top, right, bottom = (side * enlarged for side in box)
        pen.rectangle((left, top, max(left, right), max(top, bottom)), outline=colour, width=line)
        _write(pen, (left, top), caption, font, colour, drawn.size)
    return drawn


def _write(
    pen: ImageDraw.ImageDraw,
    corner: tuple[float, float],
    caption: str,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    colour: tuple[int, int, int],
    size: tuple[int, int],
) -> None:
    """A caption on a ground of its own: above its box where there is room, and never over the picture's edge."""
    _, _, width, height = pen.textbbox((0, 0), caption, font=font)
    width, height = width + 6, height + 4
    x = min(max(corner[0], 0), max(size[0] - width, 0))
    y = corner[1] - height if corner[1] >= height else max(corner[1], 0)
    pen.rectangle((x, y, x + width, y + height), fill=colour)
    red, green, blue = colour
    dark_ground = 0.299 * red + 0.587 * green + 0.114 * blue < 140
    pen.text((x + 3, y + 1), caption, fill="white" if dark_ground else "black", font=font)


def class_colour(label: int) -> tuple[int, int, int]:
    """RGB of a class. Steps of the golden ratio keep the hues of the first few far apart."""
    hue = (0.02 + label * 0.618034) % 1
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.85, 1.0 if label % 2 == 0 else 0.85)
    return round(red * 255), round(green * 255), round(blue * 255)
