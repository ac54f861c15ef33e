"""Pictures: read from a file, as uint8 tensors, and as the floats that a network is given."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from zoo.errors import InputError

if TYPE_CHECKING:
    from PIL import Image


PICTURE_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")


def read_picture(source: str | Path | Image.Image | np.ndarray) -> Image.Image:
    """A picture as RGB, turned upright as its EXIF orientation says. What is transparent becomes white.

    Args:
        source: a file, a PIL image, or a uint8 array (H, W), (H, W, 3) or (H, W, 4).

    Raises:
        InputError: the file is missing, no picture, or cut short; the array has another form.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    path = source if isinstance(source, str | Path) else f"this {type(source).__name__}"
    try:
        with _opened(source) as opened:
            picture = ImageOps.exif_transpose(opened)
            if picture.mode.startswith(("I", "F")):  # 16 bits a pixel; `convert` would cut them off at 255
                picture = Image.fromarray((np.asarray(picture, dtype=np.float64) / 257).clip(0, 255).astype(np.uint8))
            if picture.has_transparency_data:
                picture = picture.convert("RGBA")
                picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
            return picture.convert("RGB")
    except FileNotFoundError as error:
        raise InputError(f"there is no picture {path}") from error
    except IsADirectoryError as error:
        raise InputError(
            f"{path} is a folder, not a picture", f"pictures in it: {', '.join(PICTURE_SUFFIXES)}"
        ) from error
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{path} cannot be read as a picture: {error}") from error


def _opened(source: str | Path | Image.Image | np.ndarray) -> AbstractContextManager[Image.Image]:
    """A file's picture, closed after use; a picture that is somebody's, left open."""
    from PIL import Image

    if isinstance(source, str | Path):
        return Image.open(source)
    if not isinstance(source, np.ndarray):
        return nullcontext(source)
    if source.dtype != np.uint8 or source.ndim < 2 or source.shape[2:] not in ((), (3,), (4,)) or not source.size:
        shape = ", ".join(map(str, source.shape))
        raise InputError(f"an array of {source.dtype} ({shape}) is no picture", "uint8, (H, W), (H, W, 3) or (H, W, 4)")
    return nullcontext(Image.fromarray(source))


def picture_to_tensor(picture: Image.Image, size: Sequence[int], channels: int = 3) -> torch.Tensor:
    """An RGB picture resized to (height, width), its shape let go: uint8 (channels, height, width); grey for one."""
    from PIL import Image

    height, width = size
    resized = picture.convert("L" if channels == 1 else "RGB").resize((width, height), Image.Resampling.BILINEAR)
    pixels = torch.from_numpy(np.array(resized)).view(height, width, channels)
    return pixels.permute(2, 0, 1).contiguous()


def tensor_to_picture(tensor: torch.Tensor) -> Image.Image:
    """uint8 (3, H, W), or grey (1, H, W) -> an RGB picture."""
    from PIL import Image

    return Image.fromarray(tensor.expand(3, -1, -1).permute(1, 2, 0).contiguous().cpu().numpy())


class Normalize(nn.Module):
    """uint8 pictures (B, C, H, W) -> float32: from 0 to 1, then less `mean` and by `std` of each channel.

    Args:
        preprocess: the asset; `mean` and `std` may be missing.
    """

    scale: torch.Tensor
    shift: torch.Tensor

    def __init__(self, preprocess: Mapping[str, Any]) -> None:
        super().__init__()
        mean = torch.tensor(preprocess.get("mean", [0.0])).view(-1, 1, 1)
        std = torch.tensor(preprocess.get("std", [1.0])).view(-1, 1, 1)
        self.register_buffer("scale", 1 / (255 * std), persistent=False)
        self.register_buffer("shift", -mean / std, persistent=False)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return (pictures * self.scale).add_(self.shift)


def class_color(label: int) -> tuple[int, int, int]:
    """Red, green and blue of a class. Steps of the golden ratio keep the hues of the first few far apart."""
    hue = (0.02 + label * 0.618034) % 1
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.85, 1.0 if label % 2 == 0 else 0.85)
    return round(red * 255), round(green * 255), round(blue * 255)
