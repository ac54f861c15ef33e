"""The fully convolutional network (Long et al., 2015, Fully Convolutional Networks for Semantic Segmentation)."""

from __future__ import annotations

import math
from contextlib import suppress
from itertools import pairwise
from typing import Literal

import torch
from torch import nn

from zoo_vision.bounds import Count

PROBE = 128  # side of the picture that shows where a backbone halves it
COARSEST = 32


class FCN(nn.Module):
    """Pictures (B, 3, H, W) of any size -> logits (B, num_mask_classes, H, W) (section 4; notes 46 to 48).

    The last features of the backbone at each stride are scored by a 1x1 convolution. The coarsest scores are enlarged
    twofold by a transposed convolution, the next finer ones are added, and so on down to `stride`; from there one
    transposed convolution brings them to the picture's size. All of these begin as bilinear interpolation, and the
    finer scores as nothing.

    Args:
        backbone: a network for classes; its head is dropped. Its weights come in by `[init]` with `into = "backbone"`.
        stride: the finest features that are scored: FCN-32s, FCN-16s or FCN-8s of the paper; 4 goes one further.

    Raises:
        ValueError: the backbone has no features at such a stride.
    """

    def __init__(self, num_mask_classes: Count, backbone: nn.Module, stride: Literal[4, 8, 16, 32] = 8) -> None:
        from torchvision.models.feature_extraction import create_feature_extractor

        super().__init__()
        layers, widths = _last_layers(backbone)
        strides = [2**power for power in range(round(math.log2(stride)), round(math.log2(COARSEST)) + 1)]
        if missing := [str(own) for own in strides if own not in layers]:
            there = ", ".join(map(str, sorted(layers)))
            raise ValueError(f"the backbone has no features at stride {' and '.join(missing)}: it has {there}")
        self.backbone = create_feature_extractor(backbone, {layers[own]: str(own) for own in strides})
        score = {str(own): nn.Conv2d(widths[own], num_mask_classes, 1) for own in strides}
        for layer in list(score.values())[:-1]:
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        self.score = nn.ModuleDict(score)
        factors = {own: 2 if own > stride else stride for own in strides}
        self.upsample = nn.ModuleDict(
            {str(own): bilinear_upsampling(num_mask_classes, factor) for own, factor in factors.items()}
        )

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        features = self.backbone(pictures)
        strides = list(self.score)[::-1]
        scores = self.score[strides[0]](features[strides[0]])
        for before, own in pairwise(strides):
            skipped = self.score[own](features[own])
            scores = _cut(self.upsample[before](scores), skipped) + skipped
        return _cut(self.upsample[strides[-1]](scores), pictures)


def bilinear_upsampling(channels: int, factor: int) -> nn.ConvTranspose2d:
    """(B, C, H, W) -> (B, C, factor H, factor W), each channel by bilinear interpolation until it learns better.

    Away from the border, where nothing lies outside, it is `torch.nn.functional.interpolate` (notes 48).
    """
    layer = nn.ConvTranspose2d(channels, channels, 2 * factor, factor, padding=factor // 2, bias=False)
    ramp = 1 - (torch.arange(2 * factor) - (factor - 0.5)).abs() / factor
    with torch.no_grad():
        layer.weight.zero_()
        own = torch.arange(channels)
        layer.weight[own, own] = torch.outer(ramp, ramp)
    return layer


def _cut(pixels: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Cut off what an odd side, halved and doubled, has too much."""
    return pixels[..., : like.shape[-2], : like.shape[-1]]


def _last_layers(backbone: nn.Module) -> tuple[dict[int, str], dict[int, int]]:
    """The last module at each stride, and its channels."""
    names: dict[int, str] = {}
    widths: dict[int, int] = {}

    def note(name: str, output: object) -> None:
        if isinstance(output, torch.Tensor) and output.ndim == 4 and output.shape[-1] > 1:
            stride = 2 ** round(math.log2(PROBE / output.shape[-1]))
            if stride >= max(names, default=0):  # what enlarges again is the head's
                names[stride], widths[stride] = name, output.shape[1]

    hooks = [
        module.register_forward_hook(lambda _, __, output, name=name: note(name, output))
        for name, module in backbone.named_modules()
        if name
    ]
    training = backbone.training
    with torch.no_grad(), suppress(RuntimeError):  # a head may want another size; it comes last and is not needed
        backbone.eval()(torch.zeros(1, 3, PROBE, PROBE, device=next(backbone.parameters()).device))
    backbone.train(training)
    for hook in hooks:
        hook.remove()
    return names, widths
