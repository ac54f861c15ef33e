"""Boxes drawn on pictures."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from zoo import class_color, legible

SHOWN_SIDE = 512  # pictures smaller than this are enlarged, or a label would hide its box


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
    size = max(12, round(10 * unit))
    pen = ImageDraw.Draw(drawn)
    for box, caption, label in zip(boxes, captions, labels, strict=True):
        colour = class_color(label)
        left, top, right, bottom = (side * enlarged for side in box)
        pen.rectangle((left, top, max(left, right), max(top, bottom)), outline=colour, width=line)
        caption, font = legible(caption, size, label)
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
