"""Pictures: read from a file, made floats on the device, and shown with a caption."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from zoo import InputError

if TYPE_CHECKING:
    from PIL import Image

SHOWN = 224  # pixels; smaller pictures are enlarged, or their caption would not fit


def read_picture(path: str, size: Sequence[int], channels: int) -> Tensor:
    """A picture's file -> uint8 (channels, H, W), upright, resized to `size` [H, W] with antialiasing.

    Raises:
        InputError: the file is missing or no picture.
    """
    from PIL import Image, ImageOps

    height, width = size
    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image).convert("L" if channels == 1 else "RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"`{path}` cannot be read as a picture: {error}") from error
    pixels = torch.from_numpy(np.array(upright.resize((width, height), Image.Resampling.BILINEAR)))
    return pixels.reshape(height, width, channels).permute(2, 0, 1).contiguous()


class Normalize:
    """uint8 pictures (B, C, H, W) -> float32: from 0 to 1, then less `mean` and by `std` of each channel.

    Args:
        preprocess: the asset; `mean` and `std` may be missing.
    """

    def __init__(self, preprocess: Mapping[str, Any]) -> None:
        mean = torch.tensor(preprocess.get("mean", [0.0])).view(-1, 1, 1)
        std = torch.tensor(preprocess.get("std", [1.0])).view(-1, 1, 1)
        self.scale, self.shift = 1 / (255 * std), -mean / std

    def __call__(self, pictures: Tensor) -> Tensor:
        if self.scale.device != pictures.device:
            self.scale, self.shift = self.scale.to(pictures.device), self.shift.to(pictures.device)
        return (pictures * self.scale).add_(self.shift)


def captioned(pixels: Tensor, text: str, right: bool = True) -> Image.Image:
    """A uint8 picture (C, H, W) as a PIL image with a line of text below, red where it is not `right`."""
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.fromarray(pixels.expand(3, -1, -1).permute(1, 2, 0).cpu().numpy())
    scale = -(-SHOWN // max(picture.size))
    if scale > 1:
        picture = picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)
    font = ImageFont.load_default(size=16)
    sheet = Image.new("RGB", (max(picture.width, int(font.getlength(text)) + 8), picture.height + 24), "white")
    sheet.paste(picture, (0, 0))
    ImageDraw.Draw(sheet).text((4, picture.height + 2), text, "black" if right else "#b00000", font)
    return sheet
