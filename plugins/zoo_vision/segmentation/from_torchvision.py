"""torchvision's segmentation networks under their own names. They return a dict with the logits as `out`."""

from __future__ import annotations

from typing import Any

from torchvision.models import segmentation

from zoo_vision.bounds import Count


def deeplabv3_mobilenet_v3_large(num_mask_classes: Count) -> Any:
    """`torchvision.models.segmentation.deeplabv3_mobilenet_v3_large`: (B, 3, H, W) -> logits of that size; 11 million
    parameters (Chen et al., 2017). Batches of one picture cannot be trained on."""
    return segmentation.deeplabv3_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=num_mask_classes)


def lraspp_mobilenet_v3_large(num_mask_classes: Count) -> Any:
    """`torchvision.models.segmentation.lraspp_mobilenet_v3_large`: (B, 3, H, W) -> logits of that size; 3.2 million
    parameters (Howard et al., 2019, section 6.4)."""
    return segmentation.lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=num_mask_classes)
