"""Outputs of a single-shot detector -> the boxes it found."""

from __future__ import annotations

import torch
from torchvision.ops import nms

from zoo_detection.matching import decode

Detections = dict[str, torch.Tensor]


@torch.no_grad()
def detect(
    outputs: dict[str, torch.Tensor],
    size: tuple[int, int],
    *,
    score_threshold: float,
    iou_threshold: float,
    candidates: int,
    max_detections: int,
) -> list[Detections]:
    """Boxes whose score is high enough, less those that overlap a better one of their class.

    Of equal scores the lower class comes first, then the anchor that comes first.

    Args:
        outputs: `anchors` (A, 4) as centre and side in shares of the picture, `logits` (B, A, classes + 1) with
            background as class 0, `offsets` (B, A, 4).
        size: height and width of the pictures, in pixels.
        score_threshold: a score is a softmax probability; it must be higher than this.
        iou_threshold: boxes of one class overlap too much where their IoU is higher than this.
        candidates: the best scores of a picture that non-maximum suppression looks at.
        max_detections: the best that it leaves.

    Returns:
        For each picture `boxes` (N, 4) as corners in pixels, within the picture; `scores` (N,) from high to low; and
        `labels` (N,), the class without background.
    """
    pictures = len(outputs["logits"])
    picture, label, anchor, score = _best_scores(outputs["logits"], score_threshold, candidates)
    height, width = size
    boxes = decode(outputs["offsets"][picture, anchor], outputs["anchors"][anchor]).clamp_(0, 1)
    boxes *= boxes.new_tensor([width, height, width, height])
    # Set apart by class, so that one pass over a picture's boxes suppresses within each class.
    apart = boxes + (label * (max(size) + 1))[:, None]

    found = []
    counts = picture.bincount(minlength=pictures).tolist()
    split = (torch.split(part, counts) for part in (boxes, apart, score, label))
    for own_boxes, own_apart, own_score, own_label in zip(*split, strict=True):
        kept = nms(own_apart, own_score, iou_threshold)[:max_detections]
        found.append({"boxes": own_boxes[kept], "scores": own_score[kept], "labels": own_label[kept]})
    return found


def _best_scores(logits: torch.Tensor, threshold: float, candidates: int) -> tuple[torch.Tensor, ...]:
    """Picture, class, anchor and score of each picture's best scores; by picture, and from high to low in it."""
    # Classes in the second place: a softmax over a short last dimension is some twenty times slower on the CPU.
    scores = logits.transpose(1, 2).contiguous().softmax(dim=1)[:, 1:].flatten(1)
    picture, place = (scores > threshold).nonzero(as_tuple=True)
    score = scores[picture, place]
    order = score.argsort(descending=True, stable=True)
    order = order[picture[order].argsort(stable=True)]

    counts = picture.bincount(minlength=len(logits))
    before = (counts.cumsum(0) - counts)[picture]  # `nonzero` lists one picture after another
    order = order[torch.arange(len(order), device=order.device) - before < candidates]
    picture, place, anchors = picture[order], place[order], logits.shape[1]
    return picture, place // anchors, place % anchors, score[order]
