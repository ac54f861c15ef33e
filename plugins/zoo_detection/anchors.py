"""Anchor boxes: the boxes that a single-shot detector classifies and corrects, the same for every picture."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import torch


def scale_anchors(
    shape: tuple[int, int], sizes: Sequence[float], ratios: Sequence[float], aspect: float = 1.0
) -> torch.Tensor:
    """Anchors centred on every cell of one feature map (Dive into Deep Learning, section 14.4).

    Pairing every size with the first ratio, and every other ratio with the first size, makes
    `len(sizes) + len(ratios) - 1` anchors a cell rather than the product.

    Args:
        shape: rows and columns of the feature map.
        sizes: side of the square of equal area, as a share of the picture's height.
        ratios: width through height, in pixels.
        aspect: the picture's height through its width.

    Returns:
        (rows * columns * anchors a cell, 4): centre x, centre y, width, height, as shares of the picture. Anchors may
        reach over its edge.
    """
    rows, columns = shape
    pairs = [(size, ratios[0]) for size in sizes] + [(sizes[0], ratio) for ratio in ratios[1:]]
    extents = torch.tensor([(size * sqrt(ratio) * aspect, size / sqrt(ratio)) for size, ratio in pairs])
    y = (torch.arange(rows) + 0.5) / rows
    x = (torch.arange(columns) + 0.5) / columns
    centres = torch.stack((x.expand(rows, columns), y[:, None].expand(rows, columns)), dim=-1).view(-1, 1, 2)
    cells = rows * columns
    return torch.cat((centres.expand(cells, len(pairs), 2), extents.expand(cells, len(pairs), 2)), dim=2).view(-1, 4)


def multi_scale_anchors(
    shapes: Sequence[tuple[int, int]],
    sizes: Sequence[Sequence[float]],
    ratios: Sequence[float],
    aspect: float = 1.0,
) -> torch.Tensor:
    """The anchors (A, 4) of several feature maps one after another; `sizes` has one list for each map."""
    return torch.cat([scale_anchors(shape, own, ratios, aspect) for shape, own in zip(shapes, sizes, strict=True)])
