"""Figures of masks; torchmetrics counts."""

from __future__ import annotations

import torch
from torchmetrics.classification import MulticlassAccuracy, MulticlassConfusionMatrix

from zoo_vision.segmentation.masks import VOID


class MeanIoU(MulticlassConfusionMatrix):
    """Intersection over union, `iou_CLASS` of each class and `mean_iou` over those that occur, from 0 to 1.

    Takes classes (B, H, W) and (B, H, W). Counts are summed over all pictures before they are divided (Everingham et
    al., 2010, section 4.3). A class that neither is there nor was found has none, and is left out.

    Args:
        mask_classes: names, in the order of the mask's values.
        ignore_index: the class that does not count.
    """

    higher_is_better = True
    figures = ("mean_iou", "iou_*")

    def __init__(self, mask_classes: list[str], ignore_index: int = VOID) -> None:
        super().__init__(len(mask_classes), ignore_index=ignore_index, validate_args=False)
        self.names = ["iou_" + name.replace(" ", "_") for name in mask_classes]

    def compute(self) -> dict[str, torch.Tensor]:  # type: ignore[override]
        """The figures so far."""
        right = self.confmat.diag().double()
        shares = right / (self.confmat.sum(0) + self.confmat.sum(1) - right)
        occurring = {name: share for name, share in zip(self.names, shares, strict=True) if not share.isnan()}
        return {"mean_iou": shares.nanmean(), **occurring}


def pixel_accuracy(num_mask_classes: int, ignore_index: int = VOID) -> MulticlassAccuracy:
    """Share of pixels whose class is right, from 0 to 1; takes classes (B, H, W) and (B, H, W).

    Args:
        ignore_index: the class that does not count.
    """
    return MulticlassAccuracy(num_mask_classes, average="micro", ignore_index=ignore_index, validate_args=False)
