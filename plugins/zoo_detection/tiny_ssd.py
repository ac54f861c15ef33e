"""TinySSD, the small single-shot detector of Dive into Deep Learning, section 14.7."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from zoo_detection.anchors import multi_scale_anchors

Shape = tuple[int, int]


class TinySSD(nn.Module):
    """A single-shot detector that predicts on five scales: 32, 16, 8, 4 and 1 cells a side for a 256x256 picture.

    Every stage is two 3x3 convolutions with batch norm and ReLU, then max pooling by two; the last scale is the maximum
    over the picture. The convolutions that batch norm follows have no bias, which the norm would take away again; in
    all else the defaults are the book's network.

    Called with float pictures (B, 3, H, W) of any size from 64x64 up, it returns a dict of

    - `anchors` (A, 4): centre x, centre y, width, height, as shares of the picture (5,444 at 256x256);
    - `logits` (B, A, num_classes + 1): class 0 is background;
    - `offsets` (B, A, 4): see `zoo_detection.matching.decode`.

    Args:
        num_classes: without background.
        input_size: height and width that the anchors are made for and kept in the weights. Other sizes work as well;
            their anchors are made when first met.
        sizes: anchor sizes of each scale, as shares of the picture's height.
        ratios: width through height of the anchors; each scale has `len(sizes) + len(ratios) - 1` a cell.
        widths: channels of the base net's stages, and last those of every stage after it.
    """

    anchors: torch.Tensor

    def __init__(
        self,
        num_classes: int,
        input_size: tuple[int, int] = (256, 256),
        sizes: tuple[tuple[float, ...], ...] = (
            (0.2, 0.272),
            (0.37, 0.447),
            (0.54, 0.619),
            (0.71, 0.79),
            (0.88, 0.961),
        ),
        ratios: tuple[float, ...] = (1.0, 2.0, 0.5),
        widths: tuple[int, ...] = (16, 32, 64, 128),
    ) -> None:
        super().__init__()
        if len(sizes) < 3 or len(widths) < 2:
            raise ValueError("`sizes` needs three scales or more, `widths` two numbers or more")
        self.num_classes = num_classes
        self.sizes = sizes
        self.ratios = ratios
        *base_widths, later_width = widths
        self.base_stages = len(base_widths)
        # The base net's scale, the scale of one stage each, and that of the whole picture.
        scale_widths = [base_widths[-1]] + [later_width] * (len(sizes) - 1)
        base = nn.Sequential(*(_stage(*pair) for pair in pairwise([3, *base_widths])))
        stages = [_stage(*pair) for pair in pairwise(scale_widths[:-1])]
        self.scales = nn.ModuleList([base, *stages, _GlobalMaxPool()])

        a_cell = [len(own) + len(ratios) - 1 for own in sizes]
        self.class_heads = _heads(scale_widths, [anchors * (num_classes + 1) for anchors in a_cell])
        self.box_heads = _heads(scale_widths, [anchors * 4 for anchors in a_cell])

        height, width = input_size
        self.input_size = (height, width)
        self.register_buffer("anchors", self._make_anchors(self.input_size))
        self._other_anchors: dict[tuple[Shape, torch.device], torch.Tensor] = {}

    def forward(self, pictures: torch.Tensor) -> dict[str, torch.Tensor]:
        logits, offsets = [], []
        features = pictures
        for scale, class_head, box_head in zip(self.scales, self.class_heads, self.box_heads, strict=True):
            features = scale(features)
            logits.append(_a_row_each(class_head(features), self.num_classes + 1))
            offsets.append(_a_row_each(box_head(features), 4))
        return {
            "anchors": self.anchors_for(pictures),
            "logits": torch.cat(logits, dim=1),
            "offsets": torch.cat(offsets, dim=1),
        }

    def anchors_for(self, pictures: torch.Tensor) -> torch.Tensor:
        """The anchors (A, 4) for pictures (B, 3, H, W) of this size."""
        height, width = pictures.shape[-2:]
        if (height, width) == self.input_size:
            return self.anchors
        key = (height, width), pictures.device
        if key not in self._other_anchors:
            self._other_anchors[key] = self._make_anchors(key[0]).to(pictures.device)
        return self._other_anchors[key]

    def _make_anchors(self, size: Shape) -> torch.Tensor:
        height, width = size
        halvings = range(self.base_stages, self.base_stages + len(self.sizes) - 1)
        shapes = [(height >> times, width >> times) for times in halvings]
        if 0 in shapes[-1]:
            least = 1 << halvings[-1]
            raise ValueError(f"a {height}x{width} picture is too small: {len(self.sizes)} scales need {least}x{least}")
        return multi_scale_anchors([*shapes, (1, 1)], self.sizes, self.ratios, aspect=height / width)


class _GlobalMaxPool(nn.Module):
    """(B, C, H, W) -> (B, C, 1, 1). On a GPU `nn.AdaptiveMaxPool2d` has no deterministic gradient."""

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return features.amax(dim=(2, 3), keepdim=True)


def _stage(inputs: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (inputs, outputs):
        layers += [
            nn.Conv2d(channels, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers, nn.MaxPool2d(2))


def _heads(inputs: Sequence[int], outputs: Sequence[int]) -> nn.ModuleList:
    return nn.ModuleList(nn.Conv2d(own, out, 3, padding=1) for own, out in zip(inputs, outputs, strict=True))


def _a_row_each(head: torch.Tensor, values: int) -> torch.Tensor:
    """(B, anchors a cell * values, rows, columns) -> (B, rows * columns * anchors a cell, values)."""
    return head.permute(0, 2, 3, 1).reshape(len(head), -1, values)
