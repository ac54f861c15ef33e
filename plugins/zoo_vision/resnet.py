"""ResNet (He et al., 2016, Deep Residual Learning for Image Recognition)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn

from zoo_vision.bounds import Count, Factor
from zoo_vision.layers import GlobalAverage, conv_norm_relu

# Blocks in each of the four stages, by depth: the paper's table 1.
BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
EXPANSION = 4  # of a bottleneck's channels, in networks of 50 layers and more


class ResNet(nn.Module):
    """Residual blocks in four stages: (B, channels, H, W) -> logits (B, num_classes).

    With depth 18 and one channel it is the network of Dive into Deep Learning, 8.6, less the biases that its batch
    norms take away again.

    Args:
        depth: layers with weights.
        stem: `"large"` starts with a 7x7 convolution of stride 2 and pooling, for pictures of 64x64 and up; `"small"`
            with a 3x3 convolution, which leaves small pictures their size (the paper, section 4.2).
        width: factor of the channels.
        growth: factor of the channels from stage to stage, where the picture halves.
        skip: whether there are skip connections; without them it is the paper's plain network.
        batch_norm: whether there are norms.
    """

    def __init__(
        self,
        num_classes: Count,
        channels: Count = 3,
        depth: Literal[18, 34, 50, 101, 152] = 18,
        stem: Literal["large", "small"] = "large",
        width: Factor = 1.0,
        growth: Factor = 2.0,
        skip: bool = True,
        batch_norm: bool = True,
    ) -> None:
        super().__init__()
        inputs = max(1, round(64 * width))
        if stem == "large":
            first = [*conv_norm_relu(channels, inputs, 7, stride=2), nn.MaxPool2d(3, 2, padding=1)]
        else:
            first = conv_norm_relu(channels, inputs, 3)
        self.stem = nn.Sequential(*first)
        block = Residual if depth < 50 else Bottleneck
        stages = []
        for stage, blocks in enumerate(BLOCKS[depth]):
            outputs = max(1, round(64 * growth**stage * width)) * (1 if depth < 50 else EXPANSION)
            for number in range(blocks):
                stages.append(block(inputs, outputs, stride=2 if stage and not number else 1, skip=skip))
                inputs = outputs
        self.blocks = nn.Sequential(*stages)
        self.classifier = nn.Sequential(GlobalAverage(), nn.Linear(inputs, num_classes))
        if not batch_norm:
            _without_norms(self)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.classifier(self.blocks(self.stem(pictures)))
        return logits


class _Block(nn.Module):
    def __init__(self, branch: list[nn.Module], inputs: int, outputs: int, stride: int, skip: bool) -> None:
        super().__init__()
        self.branch = nn.Sequential(*branch)
        self.skip: nn.Module | None = None
        if skip and (stride != 1 or inputs != outputs):
            self.skip = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
        elif skip:
            self.skip = nn.Identity()

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        changed = self.branch(features)
        return torch.relu(changed if self.skip is None else changed + self.skip(features))


class Residual(_Block):
    """Two 3x3 convolutions and what they add to: (B, inputs, H, W) -> (B, outputs, H / stride, W / stride)."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1, skip: bool = True) -> None:
        branch = conv_norm_relu(inputs, outputs, 3, stride) + conv_norm_relu(outputs, outputs, 3)[:-1]
        super().__init__(branch, inputs, outputs, stride, skip)


class Bottleneck(_Block):
    """A 3x3 convolution between two 1x1 ones, on a quarter of the channels; the stride is the 3x3 one's."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1, skip: bool = True) -> None:
        narrow = outputs // EXPANSION
        branch = conv_norm_relu(inputs, narrow, 1) + conv_norm_relu(narrow, narrow, 3, stride)
        super().__init__(branch + conv_norm_relu(narrow, outputs, 1)[:-1], inputs, outputs, stride, skip)


def _without_norms(model: nn.Module) -> None:
    """Takes the norms away; a convolution then has the bias that its norm stood for."""
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.BatchNorm2d):
                setattr(parent, name, nn.Identity())
            elif isinstance(child, nn.Conv2d):
                inputs, outputs = child.in_channels, child.out_channels
                plain = nn.Conv2d(inputs, outputs, child.kernel_size, child.stride, child.padding)  # type: ignore[arg-type]
                setattr(parent, name, plain)
