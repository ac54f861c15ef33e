"""PyTorch's losses with signatures that a recipe can write. All are means; a sum would hide the rate's scale."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated

import torch
from annotated_types import Ge, Gt, Lt
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from zoo import InputError

# An ignore_index that no target has; torch's own default, -100, would drop targets that `count` counts.
NOTHING = torch.iinfo(torch.int64).min


class CrossEntropy(nn.Module):
    """Softmax cross entropy: logits (B, C, ...) against class indices (B, ...), or against probabilities (B, C, ...).

    The mean is over the targets that are not ignored, weighted by `class_weights`; without any the loss is 0.

    Args:
        ignore_index: the target that does not count (padding, void); a dataset may state it as a fact. By default
            every target counts.
        label_smoothing: share of the truth that is spread over all classes (Szegedy et al., 2016, section 7).
        class_weights: one a class, for rare ones.
    """

    class_weights: Tensor | None

    def __init__(
        self,
        ignore_index: int | None = None,
        label_smoothing: Annotated[float, Ge(0), Lt(1)] = 0.0,
        class_weights: list[float] | None = None,
    ) -> None:
        super().__init__()
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing
        weights = None if class_weights is None else torch.tensor(class_weights)
        self.register_buffer("class_weights", weights, persistent=False)  # the recipe has them

    def forward(self, outputs: Tensor, target: Tensor) -> Tensor:
        """The mean loss.

        Raises:
            InputError: there are more or fewer class weights than classes.
        """
        if self.class_weights is not None and len(self.class_weights) != outputs.shape[1]:
            raise InputError(f"{len(self.class_weights)} class_weights for a model of {outputs.shape[1]} classes")
        if self.ignore_index is None or target.is_floating_point():
            return self._loss(outputs, target, NOTHING, "mean")
        total = self._loss(outputs, target, self.ignore_index, "sum")
        # Where nothing counts, 0 / 0 would end the run.
        return total / self._weight(target).clamp(min=torch.finfo(total.dtype).tiny)

    def count(self, outputs: Tensor, target: Tensor) -> Tensor | int:
        """Return what the mean is over: targets that are not ignored, or the sum of their weights; or distributions."""
        if target.is_floating_point():
            return target.numel() // target.shape[1]
        return self._weight(target)

    def _weight(self, target: Tensor) -> Tensor:
        kept = torch.ones_like(target, dtype=torch.bool) if self.ignore_index is None else target != self.ignore_index
        if self.class_weights is None:
            return kept.sum()
        return (self.class_weights[target.where(kept, 0).long()] * kept).sum()

    def _loss(self, outputs: Tensor, target: Tensor, ignore_index: int, reduction: str) -> Tensor:
        return F.cross_entropy(
            outputs,
            target,
            self.class_weights,
            ignore_index=ignore_index,
            reduction=reduction,
            label_smoothing=self.label_smoothing,
        )


class KLDivergence(nn.Module):
    """Kullback-Leibler divergence KL(target || softmax(outputs)), in nats.

    Outputs are logits (B, C, ...), the target probabilities of that shape; the mean is over distributions, not over
    their C entries.
    """

    def forward(self, outputs: Tensor, target: Tensor) -> Tensor:
        _require_one_shape(outputs, target)
        return F.kl_div(F.log_softmax(outputs, dim=1), target, reduction="sum") / self.count(outputs, target)

    def count(self, outputs: Tensor, target: Tensor) -> int:
        """Return what the mean is over: distributions."""
        return target.numel() // target.shape[1]


class Elementwise(nn.Module):
    """The mean of a function of each output and its target, which have one shape.

    Args:
        function: `function(outputs, target)` -> the mean.
    """

    def __init__(self, function: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, outputs: Tensor, target: Tensor) -> Tensor:
        """The mean loss.

        Raises:
            InputError: shapes differ. Broadcasting (B, 1) against (B,) would compare each output with every target.
        """
        _require_one_shape(outputs, target)
        return self.function(outputs, target.to(outputs.dtype))

    def count(self, outputs: Tensor, target: Tensor) -> int:
        """Return what the mean is over: elements."""
        return target.numel()


def binary_cross_entropy() -> Elementwise:
    """Sigmoid cross entropy: logits against targets from 0 to 1 of the same shape."""
    return Elementwise(F.binary_cross_entropy_with_logits)


def mse() -> Elementwise:
    """Mean squared error: (output - target)^2."""
    return Elementwise(F.mse_loss)


def l1() -> Elementwise:
    """Mean absolute error: |output - target|."""
    return Elementwise(F.l1_loss)


def smooth_l1(beta: Annotated[float, Ge(0)] = 1.0) -> Elementwise:
    """d^2 / (2 beta) where the distance d is below `beta`, else d - beta / 2 (Girshick, 2015, equation 3)."""
    return Elementwise(partial(F.smooth_l1_loss, beta=beta))


def huber(delta: Annotated[float, Gt(0)] = 1.0) -> Elementwise:
    """d^2 / 2 where the distance d is below `delta`, else delta (d - delta / 2) (Huber, 1964)."""
    return Elementwise(partial(F.huber_loss, delta=delta))


def _require_one_shape(outputs: Tensor, target: Tensor) -> None:
    if outputs.shape != target.shape:
        raise InputError(
            f"the model's outputs are {tuple(outputs.shape)} and the targets {tuple(target.shape)}",
            "this loss compares them element by element: give both one shape",
        )
