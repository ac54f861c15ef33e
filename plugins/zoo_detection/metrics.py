"""How good detections are, beside COCO's figures in `coco`. All metrics have `update`, `compute` and `reset`.

Detections are a dict for each picture, of `boxes` (N, 4) as corners in pixels, `scores` (N,) and `labels` (N,); truths
are the same without scores. These are torchmetrics' own forms.
"""

from __future__ import annotations

import torch

from zoo_detection.matching import encode, match_anchors, pairwise_iou, to_corners

Boxes = dict[str, torch.Tensor]


class VocMap:
    """PASCAL VOC's mean average precision (Everingham et al. 2015, section 4.2): IoU 0.5, area under the whole curve.

    A detection is right if the truth of its class that it overlaps most is one that no better detection took. The mean
    is over the classes that have truths; without any it is 0.

    Args:
        iou_threshold: overlap from which a detection may be right.
    """

    higher_is_better = True

    def __init__(self, iou_threshold: float = 0.5) -> None:
        self.iou_threshold = iou_threshold
        self.reset()

    def update(self, detections: list[Boxes], truths: list[Boxes]) -> None:
        for found, truth in zip(_on_cpu(detections), _on_cpu(truths), strict=True):
            self.right.append(right_detections(found, truth, self.iou_threshold))
            self.scores.append(found["scores"])
            self.labels.append(found["labels"])
            self.truths.append(truth["labels"])

    def compute(self) -> torch.Tensor:
        if not self.truths:
            return torch.tensor(0.0)
        right, scores, labels, truths = map(torch.cat, (self.right, self.scores, self.labels, self.truths))
        order = scores.argsort(descending=True, stable=True)
        right, labels = right[order], labels[order]
        each = [
            average_precision(right[labels == label], int((truths == label).sum())) for label in torch.unique(truths)
        ]
        return torch.stack(each).mean() if each else torch.tensor(0.0)

    def reset(self) -> None:
        self.right: list[torch.Tensor] = []
        self.scores: list[torch.Tensor] = []
        self.labels: list[torch.Tensor] = []
        self.truths: list[torch.Tensor] = []


def average_precision(right: torch.Tensor, truths: int) -> torch.Tensor:
    """Area under the precision-recall curve, given which detections (N,) are right, best score first."""
    rank = torch.arange(1, len(right) + 1)
    precision = right.cumsum(0) / rank
    # Recall grows at right detections only, each time by one truth; a point's height is the best that still comes.
    heights = precision.flip(0).cummax(0).values.flip(0) if len(right) else precision
    return heights[right].sum() / truths


def right_detections(found: Boxes, truth: Boxes, iou_threshold: float) -> torch.Tensor:
    """Which of a picture's detections are right, by the rule of `VocMap`: (N,) bool."""
    count = len(found["scores"])
    if count == 0 or len(truth["labels"]) == 0:
        return torch.zeros(count, dtype=torch.bool)
    iou = pairwise_iou(found["boxes"], truth["boxes"])
    iou = iou.masked_fill(found["labels"][:, None] != truth["labels"], -1.0)
    overlap, wanted = iou.max(dim=1)
    rank = found["scores"].argsort(descending=True, stable=True).argsort()
    rank = rank.masked_fill(overlap < iou_threshold, count)
    first = torch.full((len(truth["labels"]),), count).scatter_reduce_(0, wanted, rank, "amin")
    return (rank == first[wanted]) & (rank < count)


class AnchorClassError:
    """The share of anchors whose class is wrong: "class err" of Dive into Deep Learning, section 14.7.

    To compare with the book only. Nearly all anchors are background, so a model that finds nothing scores about 0.005.

    Args:
        overlap_threshold: as the loss's.
    """

    higher_is_better = False
    takes_outputs = True

    def __init__(self, overlap_threshold: float = 0.5) -> None:
        self.overlap_threshold = overlap_threshold
        self.wrong = torch.tensor(0)
        self.anchors = 0

    def update(self, outputs: Boxes, target: Boxes) -> None:
        """The model's outputs and the loss's target: see `MultiboxLoss`."""
        matches = _matches(outputs, target, self.overlap_threshold)
        classes = torch.where(matches >= 0, _of_match(target["labels"][..., None], matches)[..., 0] + 1, 0)
        self.wrong = self.wrong + (outputs["logits"].argmax(dim=2) != classes).sum()
        self.anchors += matches.numel()

    def compute(self) -> torch.Tensor:
        return self.wrong / max(self.anchors, 1)

    def reset(self) -> None:
        self.wrong, self.anchors = torch.tensor(0), 0


class AnchorBoxMAE:
    """The mean absolute error of offsets: "bbox mae" of Dive into Deep Learning, section 14.7.

    To compare with the book only. Anchors that match no object count as four errors of 0, so that the figure is small
    whatever the boxes are, and it is in offsets, not in pixels.

    Args:
        overlap_threshold: as the loss's.
    """

    higher_is_better = False
    takes_outputs = True

    def __init__(self, overlap_threshold: float = 0.5) -> None:
        self.overlap_threshold = overlap_threshold
        self.error = torch.tensor(0.0)
        self.offsets = 0

    def update(self, outputs: Boxes, target: Boxes) -> None:
        """The model's outputs and the loss's target: see `MultiboxLoss`."""
        matches = _matches(outputs, target, self.overlap_threshold)
        wanted = encode(_of_match(target["boxes"], matches), outputs["anchors"])
        errors = (outputs["offsets"] - wanted).abs().sum(dim=2)
        self.error = self.error + torch.where(matches >= 0, errors, 0).sum()
        self.offsets += 4 * matches.numel()

    def compute(self) -> torch.Tensor:
        return self.error / max(self.offsets, 1)

    def reset(self) -> None:
        self.error, self.offsets = torch.tensor(0.0), 0


def _matches(outputs: Boxes, target: Boxes, overlap_threshold: float) -> torch.Tensor:
    return match_anchors(to_corners(outputs["anchors"]), target["boxes"], target["labels"], overlap_threshold)


def _of_match(values: torch.Tensor, matches: torch.Tensor) -> torch.Tensor:
    """(B, M, K) values of objects -> (B, A, K) values of the anchors' objects, zeros where there is none."""
    rows = torch.where(matches >= 0, matches, values.shape[1])
    padded = torch.nn.functional.pad(values, (0, 0, 0, 1))
    return padded.gather(1, rows[..., None].expand(-1, -1, values.shape[2]))


def _on_cpu(boxes: list[Boxes]) -> list[Boxes]:
    return [{name: value.cpu() for name, value in picture.items()} for picture in boxes]
