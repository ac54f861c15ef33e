"""Where a token stands: sine waves, learned vectors, or a rotation of queries and keys."""

from __future__ import annotations

import torch
from torch import Tensor


def sine_code(length: int, width: int) -> Tensor:
    """Sines and cosines of `width` / 2 frequencies, a row a position: (length, width) (Vaswani et al., 2017, 3.5).

    Columns come in pairs of a sine and a cosine. So the code of a position k places on is this one with every pair
    turned by an angle that depends on k alone (notes 67).
    """
    angles = _angles(torch.arange(length), width)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


def rotated(vectors: Tensor, positions: Tensor) -> Tensor:
    """Queries or keys (..., T, width), each pair of columns turned by its position's angle (Su et al., 2021).

    The product of a query and a key then depends on how far apart they are, and on nothing else of where they stand.
    """
    angles = _angles(positions, vectors.shape[-1])
    sine, cosine = angles.sin(), angles.cos()
    first, second = vectors.float()[..., ::2], vectors.float()[..., 1::2]
    turned = torch.stack([first * cosine - second * sine, first * sine + second * cosine], dim=-1)
    return turned.flatten(-2).to(vectors.dtype)


def _angles(positions: Tensor, width: int) -> Tensor:
    frequencies = 10000 ** (-torch.arange(0, width, 2, device=positions.device) / width)
    return positions[:, None] * frequencies
