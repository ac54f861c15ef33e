"""The loss of single-shot detectors: is there an object, which, and where exactly."""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from zoo_detection.matching import decode, encode, match_anchors, to_corners


class MultiboxLoss(nn.Module):
    """Classification of all anchors and box regression of the matched ones, divided by the batch's matched anchors.

    A picture without objects counts as one with one matched anchor, so that the mean adds up over pictures.

    Args:
        overlap_threshold: IoU from which an anchor learns an object that is not the best for it; see `match_anchors`.
        classification: `"cross_entropy"` over the matched anchors and the hardest of the others (Liu et al. 2016, SSD,
            section 2.2), or `"focal"` over all (Lin et al. 2017, Focal Loss for Dense Object Detection).
        negatives_per_positive: how many of the others in a picture, for each matched anchor there; all that equal the
            last one taken are taken.
        focal_gamma: how much less a well classified anchor counts.
        box: `"l1"`, `"l2"` or `"smooth_l1"` of the four offsets, summed; or `"giou"` of the boxes (Rezatofighi et al.
            2019, Generalized Intersection over Union).
        box_weight: of the box part.
    """

    def __init__(
        self,
        overlap_threshold: float = 0.5,
        classification: Literal["cross_entropy", "focal"] = "cross_entropy",
        negatives_per_positive: float = 3.0,
        focal_gamma: float = 2.0,
        box: Literal["l1", "l2", "smooth_l1", "giou"] = "smooth_l1",
        box_weight: float = 1.0,
    ) -> None:
        super().__init__()
        self.overlap_threshold = overlap_threshold
        self.classification = classification
        self.negatives_per_positive = negatives_per_positive
        self.focal_gamma = focal_gamma
        self.box = box
        self.box_weight = box_weight

    def forward(
        self, outputs: dict[str, torch.Tensor], target: dict[str, torch.Tensor]
    ) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
        """Return the parts `classification` and `box`, each with the count of matched anchors that it is a mean over.

        Args:
            outputs: `anchors` (A, 4) as centre and side, `logits` (B, A, classes + 1), `offsets` (B, A, 4).
            target: `boxes` (B, M, 4) as corners in the anchors' unit, `labels` (B, M) from 0, padding -1.
        """
        anchors = to_corners(outputs["anchors"])
        matches = match_anchors(anchors, target["boxes"], target["labels"], self.overlap_threshold)
        matched = matches >= 0
        positives = matched.sum(dim=1).clamp(min=1).sum()
        classification = self._classification(outputs["logits"], matches, target["labels"])
        box = self._box(outputs, matches, target["boxes"])
        box = torch.where(matched, box, 0).sum() * self.box_weight
        return {"classification": (classification / positives, positives), "box": (box / positives, positives)}

    def _classification(self, logits: torch.Tensor, matches: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The summed loss of the classes, background being class 0."""
        rows = torch.where(matches >= 0, matches, labels.shape[1])
        classes = F.pad(labels + 1, (0, 1)).gather(1, rows)
        # Classes in the second place: a softmax over a short last dimension is some twenty times slower on the CPU.
        # Not F.cross_entropy: with classes in that place it has no deterministic version on a GPU.
        each = -logits.transpose(1, 2).log_softmax(dim=1).gather(1, classes[:, None])[:, 0]
        if self.classification == "focal":
            return (each * (1 - (-each).exp()) ** self.focal_gamma).sum()
        return torch.where(self._worth_learning(each, matches >= 0), each, 0).sum()

    @torch.no_grad()
    def _worth_learning(self, losses: torch.Tensor, matched: torch.Tensor) -> torch.Tensor:
        """The matched anchors and the hardest of the others: (B, A) of both -> (B, A) bool."""
        count = (matched.sum(dim=1, keepdim=True).clamp(min=1) * self.negatives_per_positive).long()
        place = (count - 1).clamp(0, losses.shape[1] - 1)
        others = losses.masked_fill(matched, -1.0)
        least = others.sort(dim=1, descending=True).values.gather(1, place)
        return matched | ((others >= least) & (count > 0))

    def _box(self, outputs: dict[str, torch.Tensor], matches: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
        """(B, A) losses of the boxes; finite, but of no meaning, where no object is matched."""
        anchors, offsets = outputs["anchors"], outputs["offsets"]
        rows = torch.where(matches >= 0, matches, boxes.shape[1])[..., None].expand(-1, -1, 4)
        boxes = F.pad(boxes, (0, 0, 0, 1)).gather(1, rows)
        if self.box == "giou":
            from torchvision.ops import generalized_box_iou_loss  # torchvision takes a second to import

            losses: torch.Tensor = generalized_box_iou_loss(decode(offsets, anchors), boxes)
            return losses
        distance = {"l1": F.l1_loss, "l2": F.mse_loss, "smooth_l1": F.smooth_l1_loss}[self.box]
        return distance(offsets, encode(boxes, anchors), reduction="none").sum(dim=2)
