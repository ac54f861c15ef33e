"""Muon, for models whose parameters are not all matrices."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Annotated, Any

import torch
from annotated_types import Ge, Lt
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.adam import adam

STEPS = 5
COEFFICIENTS = (3.4445, -4.7750, 2.0315)

Share = Annotated[float, Ge(0), Lt(1)]


class Muon(Optimizer):
    """Muon for matrices and convolution kernels, AdamW for everything else (biases, norms).

    A matrix moves along its momentum with all singular values brought near 1 (Jordan et al., 2024, "Muon: an optimizer
    for hidden layers in neural networks"); a kernel (O, I, ...) counts as a matrix (O, I * ...). The step is scaled by
    0.2 sqrt(max(rows, columns)), which gives it the size of an AdamW step, so that one rate and one decay serve both
    (Liu et al., 2025, "Muon is scalable for LLM training", section 2.2).

    Embeddings and the last layer train better with AdamW: give them a group with `orthogonalize = false`.

    `torch.optim.Muon` itself refuses whatever is not two-dimensional.

    Args:
        weight_decay: decoupled: a weight shrinks by lr x weight_decay.
        momentum: of Muon; Nesterov's form.
        betas, eps: of AdamW.
        orthogonalize: Muon where it applies; False is AdamW for all parameters.
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: Annotated[float, Ge(0)] = 1e-3,
        weight_decay: Annotated[float, Ge(0)] = 0.1,
        momentum: Share = 0.95,
        betas: tuple[Share, Share] = (0.9, 0.999),
        eps: Annotated[float, Ge(0)] = 1e-8,
        orthogonalize: bool = True,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "weight_decay": weight_decay,
                "momentum": momentum,
                "betas": betas,
                "eps": eps,
                "orthogonalize": orthogonalize,
            },
        )

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update the parameters that have gradients."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            moving = [parameter for parameter in group["params"] if parameter.grad is not None]
            matrices = [parameter for parameter in moving if group["orthogonalize"] and parameter.ndim >= 2]
            others = [parameter for parameter in moving if not group["orthogonalize"] or parameter.ndim < 2]
            for matrix in matrices:
                self._move_matrix(matrix, matrix.grad, group)
            if others:
                self._move_others(others, [other.grad for other in others], group)
        return loss

    def _move_matrix(self, matrix: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[matrix]
        if not state:
            state["momentum_buffer"] = torch.zeros_like(matrix)
        buffer = state["momentum_buffer"].lerp_(gradient, 1 - group["momentum"])
        direction = orthogonal(gradient.lerp(buffer, group["momentum"]).flatten(1))
        size = 0.2 * math.sqrt(max(direction.shape))
        matrix.mul_(1 - group["lr"] * group["weight_decay"])
        matrix.add_(direction.reshape(matrix.shape), alpha=-group["lr"] * size)

    def _move_others(self, others: list[Tensor], gradients: list[Tensor], group: dict[str, Any]) -> None:
        states = [self.state[other] for other in others]
        for other, state in zip(others, states, strict=True):
            if not state:
                state["step"] = torch.tensor(0.0)
                state["exp_avg"] = torch.zeros_like(other)
                state["exp_avg_sq"] = torch.zeros_like(other)
        adam(
            others,
            gradients,
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            [state["step"] for state in states],
            decoupled_weight_decay=True,
            amsgrad=False,
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            maximize=False,
        )


def orthogonal(matrix: Tensor) -> Tensor:
    """The singular vectors of `matrix` (M, N) with singular values near 1, roughly from 0.7 to 1.2, in bf16.

    Five steps of a Newton-Schulz iteration, x <- a x + b (x x') x + c (x x')^2 x, which bf16 is enough for.
    """
    a, b, c = COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    x = (matrix.T if tall else matrix).bfloat16()
    x = x / x.norm().clamp(min=1e-7)  # the iteration converges from singular values of at most 1
    for _ in range(STEPS):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x
