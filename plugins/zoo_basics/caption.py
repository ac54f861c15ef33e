"""Pictures shown with a caption."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from zoo import legible, tensor_to_picture

if TYPE_CHECKING:
    from PIL import Image

SHOWN = 224  # pixels; smaller pictures are enlarged, or their caption would not fit


def captioned(pixels: Tensor, text: str, label: int, right: bool = True) -> Image.Image:
    """A uint8 picture (C, H, W) as a PIL image with a line below that names its class, red where it is not `right`."""
    from PIL import Image, ImageDraw

    picture = tensor_to_picture(pixels)
    scale = -(-SHOWN // max(picture.size))
    if scale > 1:
        picture = picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)
    text, font = legible(text, 16, label)
    sheet = Image.new("RGB", (max(picture.width, int(font.getlength(text)) + 8), picture.height + 24), "white")
    sheet.paste(picture, (0, 0))
    ImageDraw.Draw(sheet).text((4, picture.height + 2), text, "black" if right else "#b00000", font)
    return sheet
