"""Near-duplicate pictures: on both sides of a split they would be answers known beforehand."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812

SIDE = 16  # of the small grey picture that is compared
NEAR = 0.02  # of the bits may differ: pictures saved again or scaled, not two views of one leaf
ROWS_AT_ONCE = 512


def duplicate_groups(pictures: torch.Tensor) -> list[int]:
    """A number for each picture of uint8 (N, C, H, W), the same for pictures that look the same.

    Each becomes a row of bits: whether a pixel of its small grey version is brighter than its right neighbour
    (a difference hash). Pictures whose bits differ in a few places belong together, and so do those that are joined
    by a chain of such pairs. A picture of one colour is like no other.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    bits, plain = _difference_bits(pictures)
    first, second = [], []
    for start in range(0, len(bits), ROWS_AT_ONCE):
        rows = bits[start : start + ROWS_AT_ONCE]
        # Bits as 1 and -1: a product counts equal less unequal ones.
        distance = (bits.shape[1] - rows @ bits.T) / 2
        near = (distance <= NEAR * bits.shape[1]).nonzero()
        near = near[~plain[near[:, 0] + start] & ~plain[near[:, 1]]]
        first.append(near[:, 0] + start)
        second.append(near[:, 1])
    edges = torch.cat(first).numpy(), torch.cat(second).numpy()
    graph = coo_array((np.ones(len(edges[0])), edges), shape=(len(bits), len(bits)))
    groups: list[int] = connected_components(graph, directed=False)[1].tolist()
    return groups


def _difference_bits(pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(N, SIDE * SIDE) of 1 and -1, and whether a picture shows nothing (N,)."""
    greys = (few.float().mean(dim=1, keepdim=True) for few in pictures.split(ROWS_AT_ONCE))  # type: ignore[no-untyped-call]
    small = torch.cat([F.interpolate(grey, (SIDE, SIDE + 1), mode="area") for grey in greys]).squeeze(1)
    steps = small.diff(dim=2).flatten(1)
    return (steps > 0).float() * 2 - 1, steps.abs().amax(dim=1) < 1
