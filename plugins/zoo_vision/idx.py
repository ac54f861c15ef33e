"""The file format of MNIST and its successors: big-endian arrays with a header of their shape."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import torch

from zoo import InputError

UBYTE = 0x08


def read_idx(folder: Path, name: str) -> torch.Tensor:
    """The uint8 array in `name` or `name.gz`, in its shape.

    Raises:
        InputError: neither file is there, or it is cut short or not of this format.
    """
    plain, packed = folder / name, folder / f"{name}.gz"
    file = plain if plain.is_file() else packed
    try:
        content = plain.read_bytes() if file == plain else gzip.decompress(packed.read_bytes())
    except FileNotFoundError as error:
        raise InputError(f"there is neither {plain} nor {name}.gz beside it") from error
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{file} cannot be unpacked: {error}") from error
    axes = content[3] if len(content) > 3 else 0
    shape = [int.from_bytes(content[4 * axis : 4 * axis + 4], "big") for axis in range(1, axes + 1)]
    values = content[4 + 4 * axes :]
    if content[:3] != bytes([0, 0, UBYTE]) or len(values) != math.prod(shape):
        raise InputError(f"{file} is no idx file of bytes, or is cut short")
    return torch.frombuffer(bytearray(values), dtype=torch.uint8).view(shape)
