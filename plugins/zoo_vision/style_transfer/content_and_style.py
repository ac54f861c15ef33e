"""The dataset `content_and_style`: two pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from zoo import Data, InputError, TensorSplit, picture_to_tensor, read_picture
from zoo_vision.style_transfer.model import LARGEST, fitting

MEGAPIXELS = 50  # of a file, in millions


def content_and_style(content: Path | None = None, style: Path | None = None) -> Data:
    """One sample, for training and scoring alike: `content` and `style`, uint8 (3, H, W), of any two sizes.

    Pictures are brought to 2,000 pixels of the longer side, if they have more; what is transparent becomes white.

    Args:
        content: a picture file, of at most 50 megapixels; without one, scikit-learn's photograph of a pavilion.
        style: likewise; without one, scikit-image's micrograph of stained tissue.

    Raises:
        InputError: a file is missing, no picture, or too large.
    """
    shapes = _tensor(_pavilion() if content is None else _read(content))
    looks = _tensor(_tissue() if style is None else _read(style))
    split = TensorSplit(content=shapes[None], style=looks[None])
    return Data({"train": split, "val": split}, facts={"content_size": list(shapes.shape[-2:])})


def _read(path: Path) -> Image.Image:
    file = Path(path).expanduser()
    try:
        with Image.open(file) as opened:  # its head alone: a picture that is too large is never decoded
            megapixels = opened.width * opened.height / 1e6
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return read_picture(file)  # says what is wrong
    if megapixels > MEGAPIXELS:
        raise InputError(f"{path} has {megapixels:.0f} megapixels, and {MEGAPIXELS} are the limit", "make it smaller")
    return read_picture(file)


def _pavilion() -> Image.Image:
    from sklearn.datasets import load_sample_image

    return Image.fromarray(np.asarray(load_sample_image("china.jpg")))


def _tissue() -> Image.Image:
    from skimage import data

    read: Any = data.immunohistochemistry
    return Image.fromarray(read())


def _tensor(picture: Image.Image) -> torch.Tensor:
    size = picture.height, picture.width
    return picture_to_tensor(picture, fitting(size, LARGEST) if max(size) > LARGEST else size)
