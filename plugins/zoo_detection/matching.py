"""Which anchor learns which object, for a whole padded batch at once; and boxes as offsets from their anchors.

Boxes are in one unit throughout, whichever it is: here shares of the picture, 0 to 1.
"""

from __future__ import annotations

import math

import torch

VARIANCES = (0.1, 0.1, 0.2, 0.2)  # brings the four offsets to about unit variance (Liu et al. 2016, SSD)
SMALLEST_SIDE = 1e-6  # keeps logarithms finite
LARGEST_LOG_GROWTH = math.log(1000 / 16)  # keeps exponentials finite


def to_corners(boxes: torch.Tensor) -> torch.Tensor:
    """(..., 4) centre x, centre y, width, height -> left, top, right, bottom."""
    centre, side = boxes[..., :2], boxes[..., 2:]
    return torch.cat((centre - side / 2, centre + side / 2), dim=-1)


def pairwise_iou(boxes: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """Intersection over union of (..., M, 4) with (A, 4) corner boxes: (..., M, A). A box of no area overlaps none."""
    left, top, right, bottom = (part.unsqueeze(-1) for part in boxes.unbind(-1))
    other_left, other_top, other_right, other_bottom = others.unbind(-1)
    width = torch.minimum(right, other_right).sub_(torch.maximum(left, other_left)).clamp_(min=0)
    height = torch.minimum(bottom, other_bottom).sub_(torch.maximum(top, other_top)).clamp_(min=0)
    intersection = width.mul_(height)
    area = (right - left) * (bottom - top)
    other_area = (other_right - other_left) * (other_bottom - other_top)
    union = (area + other_area).sub_(intersection).clamp_(min=torch.finfo(intersection.dtype).tiny)
    return intersection.div_(union)


@torch.no_grad()
def match_anchors(
    anchors: torch.Tensor, boxes: torch.Tensor, labels: torch.Tensor, threshold: float = 0.5
) -> torch.Tensor:
    """Give every object its best anchor, and every other anchor its best object if they overlap enough.

    The first is greedy (Dive into Deep Learning, section 14.4.3): of all pairs of an object and an anchor the one of
    highest IoU is made, both leave, and so on until the objects or the anchors are used up. Ties go to the object that
    comes first, then to the anchor that comes first. An object gets an anchor even where they do not overlap. The
    remaining anchors take the object of highest IoU (the first of equal ones) where that reaches the threshold.

    Padding and boxes of no area are never matched. All batches of one shape take the same operations, and nothing asks
    the device for a number.

    Args:
        anchors: (A, 4) corner boxes.
        boxes: (B, M, 4) corner boxes.
        labels: (B, M), negative where `boxes` is padding.

    Returns:
        (B, A) int64: the object's index in 0..M-1, or -1 for background.
    """
    pictures, objects = labels.shape
    count = len(anchors)
    if objects == 0:
        return labels.new_full((pictures, count), -1)
    width, height = (boxes[..., 2:] - boxes[..., :2]).unbind(-1)
    real = (labels >= 0) & (width > 0) & (height > 0)
    iou = pairwise_iou(boxes, anchors).masked_fill_(~real[..., None], -1.0)

    highest, matches = iou.max(dim=1)
    matches.masked_fill_(highest < threshold, -1)

    # The last column takes what objects without an anchor would write.
    matches = torch.cat((matches, matches.new_empty(pictures, 1)), dim=1)
    matches.scatter_(1, _best_anchors(iou, real), torch.arange(objects, device=iou.device).expand(pictures, objects))
    return matches[:, :count]


def _best_anchors(iou: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """Greedy pairs from (B, M, A) IoU, which is used up: (B, M) index of each object's anchor, or A for none."""
    pictures, objects, count = iou.shape
    chosen = torch.full((pictures, objects), count, device=iou.device)
    left = real.clone()
    rows = torch.arange(pictures, device=iou.device)
    for _ in range(min(objects, count)):
        # Two small searches instead of one large: amax is vectorised on the CPU, argmax is not.
        best_of_each = iou.amax(dim=2).masked_fill_(~left, -2.0)
        found = best_of_each.argmax(dim=1)
        anchor = iou[rows, found].argmax(dim=1)
        chosen[rows, found] = torch.where(left[rows, found], anchor, chosen[rows, found])
        left[rows, found] = False
        iou[rows, :, anchor] = -1.0
    return chosen


def encode(boxes: torch.Tensor, anchors: torch.Tensor) -> torch.Tensor:
    """Corner boxes (..., 4) -> offsets from their anchors (..., 4), given as centre and side; through the variances."""
    corner, opposite = boxes[..., :2], boxes[..., 2:]
    centre, side = anchors[..., :2], anchors[..., 2:]
    shift = ((corner + opposite) / 2 - centre) / side
    growth = torch.log((opposite - corner).clamp(min=SMALLEST_SIDE) / side)
    return torch.cat((shift / VARIANCES[0], growth / VARIANCES[2]), dim=-1)


def decode(offsets: torch.Tensor, anchors: torch.Tensor) -> torch.Tensor:
    """The inverse of `encode`: offsets (..., 4) and anchors as centre and side -> corner boxes (..., 4)."""
    centre = anchors[..., :2] + offsets[..., :2] * VARIANCES[0] * anchors[..., 2:]
    growth = (offsets[..., 2:] * VARIANCES[2]).clamp(max=LARGEST_LOG_GROWTH)
    return to_corners(torch.cat((centre, anchors[..., 2:] * growth.exp()), dim=-1))
