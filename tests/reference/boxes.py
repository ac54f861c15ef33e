"""Boxes the obvious way, one at a time: what the fast versions in zoo_detection are held to.

A box is a sequence of four numbers. Where they are numpy's float32 the arithmetic is that of torch's float32, so
that matching can be compared bit by bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

Box = Sequence[float]


def iou(one: Box, other: Box) -> float:
    """Intersection over union of two corner boxes; 0 where they do not meet."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / (area(one) + area(other) - width * height)


def area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def match(anchors: Sequence[Box], boxes: Sequence[Box], labels: Sequence[int], threshold: float) -> list[int]:
    """Which of one picture's objects each anchor learns, -1 for background. All boxes are corner boxes."""
    objects = [n for n, box in enumerate(boxes) if labels[n] >= 0 and box[2] > box[0] and box[3] > box[1]]
    overlap = {(n, a): iou(boxes[n], anchor) for n in objects for a, anchor in enumerate(anchors)}

    matches = [-1] * len(anchors)
    for a in range(len(anchors)):
        best = max(objects, key=lambda n: overlap[n, a], default=-1)
        if best >= 0 and overlap[best, a] >= threshold:
            matches[a] = best
    while overlap:
        best, place = max(overlap, key=lambda pair: overlap[pair])
        matches[place] = best
        overlap = {(n, a): value for (n, a), value in overlap.items() if n != best and a != place}
    return matches


def encode(box: Box, anchor: Box) -> list[float]:
    """A corner box as offsets from an anchor, given as centre and side."""
    x, y, width, height = anchor
    return [
        ((box[0] + box[2]) / 2 - x) / width / 0.1,
        ((box[1] + box[3]) / 2 - y) / height / 0.1,
        math.log(max(box[2] - box[0], 1e-6) / width) / 0.2,
        math.log(max(box[3] - box[1], 1e-6) / height) / 0.2,
    ]


def decode(offsets: Box, anchor: Box) -> list[float]:
    """The corner box that offsets from an anchor stand for."""
    x = anchor[0] + offsets[0] * 0.1 * anchor[2]
    y = anchor[1] + offsets[1] * 0.1 * anchor[3]
    width = anchor[2] * math.exp(min(offsets[2] * 0.2, math.log(1000 / 16)))
    height = anchor[3] * math.exp(min(offsets[3] * 0.2, math.log(1000 / 16)))
    return [x - width / 2, y - height / 2, x + width / 2, y + height / 2]


def nms(boxes: Sequence[Box], threshold: float) -> list[int]:
    """Which boxes to keep of some sorted from the best: those that no kept one overlaps by more than the threshold."""
    kept: list[int] = []
    for number, box in enumerate(boxes):
        if all(iou(box, boxes[better]) <= threshold for better in kept):
            kept.append(number)
    return kept


def detect(
    outputs: dict[str, torch.Tensor],
    size: tuple[int, int],
    score_threshold: float,
    iou_threshold: float,
    candidates: int,
    max_detections: int,
) -> list[list[tuple[float, int, list[float]]]]:
    """The (score, class, corner box in pixels) found in each picture, best first."""
    height, width = size
    anchors = outputs["anchors"].tolist()
    scores = outputs["logits"].transpose(1, 2).softmax(dim=1).tolist()
    found = []
    for picture, offsets in enumerate(outputs["offsets"].tolist()):
        boxes = [in_pixels(decode(*pair), height, width) for pair in zip(offsets, anchors, strict=True)]
        confident = [
            (score, label, box)
            for label, own_scores in enumerate(scores[picture][1:])
            for score, box in zip(own_scores, boxes, strict=True)
            if score > score_threshold
        ]
        best = sorted(confident, key=lambda one: -one[0])[:candidates]
        kept = []
        for label in range(len(scores[picture]) - 1):
            own = [one for one in best if one[1] == label]
            kept += [own[number] for number in nms([box for _, _, box in own], iou_threshold)]
        found.append(sorted(kept, key=lambda one: -one[0])[:max_detections])
    return found


def in_pixels(box: Box, height: int, width: int) -> list[float]:
    """A corner box in shares of the picture -> in pixels, cut at the picture's edge."""
    return [min(max(side, 0.0), 1.0) * length for side, length in zip(box, [width, height] * 2, strict=True)]


def average_precision(
    detections: Sequence[tuple[int, float, Box]], truths: Sequence[tuple[int, Box]], threshold: float
) -> float:
    """Area under the precision-recall curve of one class, as in PASCAL VOC since 2010.

    Args:
        detections: picture, score and corner box of each; scores differ.
        truths: picture and corner box of each.
    """
    taken = set()
    right = []
    for picture, _, box in sorted(detections, key=lambda one: -one[1]):
        here = [n for n, (where, _) in enumerate(truths) if where == picture]
        best = max(here, key=lambda n: iou(box, truths[n][1]), default=-1)
        right.append(best >= 0 and iou(box, truths[best][1]) >= threshold and best not in taken)
        if right[-1]:
            taken.add(best)

    precisions = [sum(right[: n + 1]) / (n + 1) for n in range(len(right))]
    recalls = [sum(right[: n + 1]) / len(truths) for n in range(len(right))]
    total, reached = 0.0, 0.0
    for n, recall in enumerate(recalls):
        total += (recall - reached) * max(precisions[n:])
        reached = recall
    return total
