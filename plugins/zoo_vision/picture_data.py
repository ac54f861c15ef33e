"""Labelled pictures -> `zoo.Data`: splits, the facts that networks ask for, and the assets of a prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from zoo import Data, InputError, TensorSplit
from zoo_vision.bounds import Size


def picture_data(
    splits: Mapping[str, Any],
    classes: Sequence[str],
    *,
    channels: int,
    size: Size,
    mean: Sequence[float],
    std: Sequence[float],
) -> Data:
    """The data of a classification task.

    Args:
        splits: of samples with `input` uint8 (channels, h, w) and `label`, the index of a class.
        channels: of the pictures as the network is given them; grey ones may be shown in three equal channels.
        size: height and width that the network is given; pictures of another size are resized on the device.
        mean, std: of each channel, for values from 0 to 1.
    """
    mean, std = (list(values) * (channels // len(values)) for values in (mean, std))
    return Data(
        splits=splits,
        facts={
            "num_classes": len(classes),
            "num_outputs": len(classes),
            "num_inputs": channels * size[0] * size[1],
            "channels": channels,
            "input_size": list(size),
        },
        assets={
            "classes": list(classes),
            "preprocess": {"size": list(size), "mean": mean, "std": std},
        },
    )


def labelled(pictures: torch.Tensor, labels: torch.Tensor, transform: Any = None) -> TensorSplit:
    """A split of pictures (N, C, H, W) with labels (N,); cross-validation keeps the classes in proportion."""
    return TensorSplit(input=pictures, label=labels, strata=labels.tolist(), transform=transform)


def hold_out(
    labels: torch.Tensor, share: float, seed: int, classes: Sequence[str]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Indices of what is trained on and of the `share` that is held out, every class in the same proportion, and at
    least one sample of it.

    Raises:
        InputError: a class has a single sample, which cannot be on both sides.
    """
    generator = torch.Generator().manual_seed(seed)
    held = torch.zeros(len(labels), dtype=torch.bool)
    for label, name in enumerate(classes):
        own = (labels == label).nonzero().flatten()
        if len(own) == 1:
            raise InputError(f"class `{name}` has a single sample: it cannot be both trained on and held out")
        count = min(max(1, round(share * len(own))), len(own) - 1) if len(own) else 0
        held[own[torch.randperm(len(own), generator=generator)[:count]]] = True
    return (~held).nonzero().flatten(), held.nonzero().flatten()
