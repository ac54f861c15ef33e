"""A picture that is trained (Gatys et al., 2016, Image Style Transfer Using Convolutional Neural Networks)."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any

import torch
from annotated_types import Ge, Le
from torch import nn
from torch.nn import functional as F  # noqa: N812

from zoo_vision.bounds import Count
from zoo_vision.picture_files import MEAN, STD
from zoo_vision.style_transfer.losses import PARTS, distances, gram

LARGEST = 2000  # pixels of a side; VGG's features of such a picture take about 14 GB

Side = Annotated[int, Ge(32), Le(LARGEST)]
Layers = tuple[str, ...]


class StyleTransfer(nn.Module):
    """Content and style, uint8 (1, 3, H, W) each -> the picture, and what a frozen network sees in all three.

    There is one picture for each of `sizes`, and it alone is trained: the first begins as the content, each later one
    as the one before, enlarged. Outputs, in fp32: `picture` (1, 3, h, w) from 0 to 1; `content` and `style`, for every
    layer a pair of what the picture has and what it should have, features (1, C, h, w) and Gram matrices (C, C); and
    `scale`, the factors of the losses.

    Args:
        extractor: a network for pictures as ImageNet's; its layers after the last one named are dropped. Its weights
            come in by `[init]` with `into = "extractor"`.
        content_size: height and width of the content; the trained pictures have its shape.
        sizes: the longer side of the picture, in pixels, stage after stage; the style is brought to the same.
        grow_at: the training steps at which the next size begins, one less than there are sizes.
        style_layers, content_layers: the extractor's modules whose outputs are compared. The usual ones are VGG-19's in
            the book (notes 49). There, a ReLU in place changes what was kept of the layer before; here it does not.
        balance_after: training steps after which each loss is divided by what it then is (the notes' advice: train with
            weights of 1, look at the sizes, bring them to one scale); without, all factors stay 1.

    Raises:
        ValueError: sizes and steps do not fit together, or the extractor has no such layer.
    """

    scale: torch.Tensor
    begun: torch.Tensor
    steps: torch.Tensor
    mean: torch.Tensor
    std: torch.Tensor

    def __init__(
        self,
        extractor: nn.Module,
        content_size: tuple[int, int],
        sizes: tuple[Side, ...] = (300, 450),
        grow_at: tuple[Count, ...] = (250,),
        style_layers: Layers = ("features.0", "features.5", "features.10", "features.19", "features.28"),
        content_layers: Layers = ("features.25",),
        balance_after: Count | None = None,
    ) -> None:
        super().__init__()
        if len(grow_at) != len(sizes) - 1 or any(later <= step for step, later in pairwise(grow_at)):
            raise ValueError(
                f"{len(sizes)} sizes need {len(sizes) - 1} growing steps in `grow_at`, not {list(grow_at)}"
            )
        self.style_layers, self.content_layers = style_layers, content_layers
        self.begins = {step: stage for stage, step in enumerate((0, *grow_at))}
        self.balance_after = balance_after
        self.extractor = _extractor(extractor, {*style_layers, *content_layers})
        shapes = [fitting(content_size, size) for size in sizes]
        self.pictures = nn.ParameterList([nn.Parameter(torch.full((1, 3, *shape), 0.5)) for shape in shapes])
        self.register_buffer("scale", torch.ones(len(PARTS)))
        self.register_buffer("begun", torch.tensor(0))  # stages
        self.register_buffer("steps", torch.tensor(0))  # of training, done
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1), persistent=False)
        self._stage: int | None = None
        self._step: int | None = None  # `steps`, read from the device once
        self._wanted: dict[int, dict[str, list[torch.Tensor]]] = {}

    def train(self, mode: bool = True) -> StyleTransfer:
        """The extractor stays in evaluation mode: its normalisation layers have seen photographs, not this."""
        super().train(mode)
        self.extractor.eval()
        return self

    def forward(self, content: torch.Tensor, style: torch.Tensor) -> dict[str, Any]:
        """Look at the latest stage. In training mode each call is one step more, and may begin the next stage."""
        step = None
        if self.training:
            step = int(self.steps) if self._step is None else self._step
            self._step = step + 1
            self.steps += 1
        stage = self.stage if step is None else self._enter(step, content)
        picture = self.pictures[stage]
        wanted = self._wanted_at(stage, content, style)
        found = self._seen(picture)
        outputs = {
            "picture": picture,
            "content": list(zip(found["content"], wanted["content"], strict=True)),
            "style": list(zip(found["style"], wanted["style"], strict=True)),
        }
        if step is not None and step == self.balance_after:
            sizes = torch.stack([value.detach() for value in distances(outputs).values()])
            self.scale.copy_(1 / sizes.clamp(min=1e-8))
        return {**outputs, "scale": self.scale}

    @property
    def stage(self) -> int:
        """The latest stage that has begun."""
        return max(0, int(self.begun) - 1)

    @torch.no_grad()
    def _enter(self, step: int, content: torch.Tensor) -> int:
        """The stage of a training step. The picture is kept to what can be shown, and begins where its stage does."""
        if step in self.begins:
            stage = self._stage = self.begins[step]
            before = content / 255 if stage == 0 else self.pictures[stage - 1]
            self.pictures[stage].copy_(resized(before, self.pictures[stage].shape[-2:]))
            self.begun.fill_(stage + 1)
            self._wanted.clear()
        if self._stage is None:  # resumed
            self._stage = self.stage
        self.pictures[self._stage].clamp_(0, 1)
        return self._stage

    def _wanted_at(self, stage: int, content: torch.Tensor, style: torch.Tensor) -> dict[str, list[torch.Tensor]]:
        """Return what content and style look like at the stage's size, computed once: they do not change."""
        if stage not in self._wanted:
            with torch.no_grad():
                size = self.pictures[stage].shape[-2:]
                own = self._seen(resized(content / 255, size))["content"]
                shape = fitting((style.shape[-2], style.shape[-1]), max(size))
                looks = self._seen(resized(style / 255, shape))["style"]
                self._wanted[stage] = {"content": own, "style": looks}
        return self._wanted[stage]

    def _seen(self, picture: torch.Tensor) -> dict[str, list[torch.Tensor]]:
        """Features of the content layers and Gram matrices of the style layers."""
        features = self.extractor((picture - self.mean) / self.std)
        with torch.autocast(picture.device.type, enabled=False):
            return {
                "content": [features[name].float() for name in self.content_layers],
                "style": [gram(features[name].float()) for name in self.style_layers],
            }


def fitting(size: tuple[int, int], longer: int) -> tuple[int, int]:
    """Height and width of a picture whose longer side is brought to `longer`."""
    factor = longer / max(size)
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def resized(pictures: torch.Tensor, size: tuple[int, int] | torch.Size) -> torch.Tensor:
    """(B, C, H, W) -> (B, C, *size), bicubic, without the moire of small ones."""
    return F.interpolate(pictures, tuple(size), mode="bicubic", antialias=True).clamp(0, 1)


def _extractor(network: nn.Module, layers: set[str]) -> nn.Module:
    from torchvision.models.feature_extraction import create_feature_extractor

    known = {name for name, _ in network.named_modules() if name}
    if missing := sorted(layers - known):
        leaves = [name for name in known if not any(other.startswith(f"{name}.") for other in known)]
        first = ", ".join(sorted(leaves, key=_natural)[:6])
        raise ValueError(f"the extractor has no layer {', '.join(map(repr, missing))}; its first are {first}")
    for module in network.modules():
        if hasattr(module, "inplace"):
            module.inplace = False  # type: ignore[assignment]
    extractor: nn.Module = create_feature_extractor(network, {name: name for name in layers})
    return extractor.requires_grad_(False).eval()


def _natural(name: str) -> list[tuple[bool, int | str]]:
    """Sorts `features.10` after `features.2`."""
    return [(part.isdigit(), int(part) if part.isdigit() else part) for part in name.split(".")]
