"""torchvision's networks under their own names, with the parameters that a recipe may set.

Their weights, as torchvision names them, come in through `[init]`; nothing is downloaded or unpickled here.
"""

from __future__ import annotations

from torch import nn
from torchvision import models

from zoo_vision.bounds import Count, Share, Size


def resnet18(num_classes: Count) -> nn.Module:
    """`torchvision.models.resnet18`: pictures (B, 3, H, W) -> logits (B, num_classes); 11.7 million parameters."""
    return models.resnet18(num_classes=num_classes)


def resnet50(num_classes: Count) -> nn.Module:
    """`torchvision.models.resnet50`: pictures (B, 3, H, W) -> logits (B, num_classes); 25.6 million parameters."""
    return models.resnet50(num_classes=num_classes)


def resnext50_32x4d(num_classes: Count) -> nn.Module:
    """`torchvision.models.resnext50_32x4d`: (B, 3, H, W) -> logits (B, num_classes); 25.0 million parameters."""
    return models.resnext50_32x4d(num_classes=num_classes)


def mobilenet_v2(num_classes: Count, dropout: Share = 0.2) -> nn.Module:
    """`torchvision.models.mobilenet_v2`: (B, 3, H, W) -> logits (B, num_classes); 3.5 million parameters."""
    return models.mobilenet_v2(num_classes=num_classes, dropout=dropout)


def efficientnet_b0(num_classes: Count, dropout: Share = 0.2) -> nn.Module:
    """`torchvision.models.efficientnet_b0`: (B, 3, H, W) -> logits (B, num_classes); 5.3 million parameters."""
    return models.efficientnet_b0(num_classes=num_classes, dropout=dropout)


def convnext_tiny(num_classes: Count, stochastic_depth: Share = 0.1) -> nn.Module:
    """`torchvision.models.convnext_tiny`: (B, 3, H, W) -> logits (B, num_classes); 28.6 million parameters.

    Args:
        stochastic_depth: the share of times that the last block is left out in training.
    """
    return models.convnext_tiny(num_classes=num_classes, stochastic_depth_prob=stochastic_depth)


def vit_b_16(num_classes: Count, input_size: Size = (224, 224), dropout: Share = 0.0) -> nn.Module:
    """`torchvision.models.vit_b_16`: (B, 3, S, S) -> logits (B, num_classes); 86.6 million parameters.

    Raises:
        ValueError: the pictures are not square, or their side is no multiple of 16.
    """
    height, width = input_size
    if height != width or height % 16:
        raise ValueError(f"it takes square pictures whose side is a multiple of 16, and these are {height}x{width}")
    return models.vit_b_16(num_classes=num_classes, image_size=height, dropout=dropout)


def inception_v3(num_classes: Count, dropout: Share = 0.5) -> nn.Module:
    """`torchvision.models.inception_v3`: (B, 3, H, W) -> logits (B, num_classes); 23.8 million parameters.

    Pictures are 75x75 and larger; it was made for 299x299. There is no auxiliary head: in training, torchvision returns
    its output beside the logits.
    """
    return models.inception_v3(num_classes=num_classes, aux_logits=False, init_weights=False, dropout=dropout)
