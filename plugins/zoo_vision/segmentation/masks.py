"""Mask files: PNG pictures whose values, not colours, are classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from zoo import InputError

VOID = 255  # as in PASCAL VOC: borders and what nobody labelled


def read_mask(file: Path) -> torch.Tensor:
    """A palette or index PNG -> the class of each pixel, uint8 (H, W); 255 is void.

    Raises:
        InputError: the file is missing, no picture, or has colours in place of classes.
    """
    try:
        with Image.open(file) as opened:
            if opened.mode not in ("P", "L", "1"):
                raise InputError(
                    f"{file} has pixels of mode {opened.mode}: a mask is a PNG file with a palette, or in grey, whose "
                    "values are classes"
                )
            return torch.from_numpy(np.array(opened, dtype=np.uint8))
    except FileNotFoundError as error:
        raise InputError(f"there is no mask {file}") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{file} cannot be read as a picture: {error}") from error


def require_classes(mask: torch.Tensor, count: int, file: Path) -> None:
    """All values are classes or void.

    Raises:
        InputError: a value is not; it says which and where.
    """
    beyond = (mask >= count) & (mask != VOID)
    if beyond.any():
        row, column = beyond.nonzero()[0].tolist()
        raise InputError(
            f"{file}: the value {int(mask[row, column])} at row {row}, column {column} is no class: there are {count}, "
            f"from 0 to {count - 1}, and {VOID} for void",
            "name all of them in classes.txt, one a line",
        )
