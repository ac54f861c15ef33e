"""torchmetrics' metrics with signatures that a recipe can write.

torchmetrics is slow to import (it takes torchvision, SciPy and Matplotlib along), so nothing else imports it.
Its checks of every batch's values are off: each would wait for the device.
"""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from annotated_types import Ge
from torch import Tensor
from torch.nn import functional as F  # noqa: N812
from torchmetrics.classification import MulticlassAccuracy, MulticlassConfusionMatrix, MulticlassF1Score
from torchmetrics.regression import MeanAbsoluteError, MeanSquaredError
from torchmetrics.text import Perplexity as TorchPerplexity

from zoo import InputError

Average = Literal["micro", "macro", "weighted"]


def accuracy(num_classes: int, average: Average = "micro", ignore_index: int | None = None) -> MulticlassAccuracy:
    """Share of right classes, from 0 to 1.

    Takes scores (B, C, ...) and classes (B, ...).

    Args:
        average: `micro` counts every sample the same, `macro` every class, `weighted` every class by its samples.
        ignore_index: the target that does not count.
    """
    return MulticlassAccuracy(num_classes, average=average, ignore_index=ignore_index, validate_args=False)


def top_k_accuracy(
    num_classes: int, k: Annotated[int, Ge(1)] = 5, ignore_index: int | None = None
) -> MulticlassAccuracy:
    """Share of samples whose true class is among the `k` likeliest, from 0 to 1.

    Takes scores (B, C, ...) and classes (B, ...).

    Raises:
        InputError: there are fewer than `k` classes.
    """
    if k > num_classes:
        raise InputError(f"`k` of metric `top_k_accuracy` is {k}, and there are {num_classes} classes")
    return MulticlassAccuracy(num_classes, top_k=k, average="micro", ignore_index=ignore_index, validate_args=False)


def f1(num_classes: int, average: Average = "macro", ignore_index: int | None = None) -> MulticlassF1Score:
    """Harmonic mean of precision and recall, from 0 to 1.

    Takes scores (B, C, ...) and classes (B, ...).

    Args:
        average: `macro` is the mean over classes, `weighted` that by samples; `micro` equals accuracy.
        ignore_index: the target that does not count.
    """
    return MulticlassF1Score(num_classes, average=average, ignore_index=ignore_index, validate_args=False)


def confusion_matrix(
    num_classes: int, normalize: Literal["true", "pred", "all"] | None = None, ignore_index: int | None = None
) -> MulticlassConfusionMatrix:
    """Counts (C, C): a row for each true class, a column for each predicted one.

    Takes scores (B, C, ...) and classes (B, ...). A matrix is no figure: it is not among a run's.

    Args:
        normalize: shares instead of counts: of each true class, of each predicted one, or of all.
        ignore_index: the target that does not count.
    """
    return _ConfusionMatrix(num_classes, normalize=normalize, ignore_index=ignore_index, validate_args=False)


class _ConfusionMatrix(MulticlassConfusionMatrix):
    axes = ("truth", "prediction")  # what a report writes beside rows and columns


def mean_squared_error() -> MeanSquaredError:
    """Mean of (prediction - target)^2 over all elements."""
    return MeanSquaredError()


def mean_absolute_error() -> MeanAbsoluteError:
    """Mean of |prediction - target| over all elements."""
    return MeanAbsoluteError()


class Perplexity(TorchPerplexity):
    """Exponential of the mean cross entropy, from 1: as unsure as a choice among that many.

    Takes logits (B, C, ...) and classes (B, ...), as the loss `cross_entropy` does. torchmetrics has the classes last,
    and its softmax followed by a logarithm is infinite where a truth is very unlikely.

    Args:
        ignore_index: the target that does not count.
    """

    takes_outputs = True

    def __init__(self, ignore_index: int | None = None) -> None:
        super().__init__(ignore_index)

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Add one batch."""
        kept = torch.ones_like(target, dtype=torch.bool) if self.ignore_index is None else target != self.ignore_index
        losses = F.cross_entropy(preds, target.where(kept, 0), reduction="none")
        self.total_log_probs += (losses * kept).sum()
        self.count += kept.sum()
