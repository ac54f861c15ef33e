"""The average of several models: of the folds of a cross-validation, say."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from typing import Annotated, Any

import torch
from annotated_types import Ge
from torch import nn

from zoo import InputError


class Average(nn.Module):
    """Copies of one model, each with weights of its own, whose outputs are averaged.

    Outputs may be tensors, or hold them in dicts, lists and dataclasses; what is no floating-point number has to be the
    same in all.

    Args:
        of: the model.
        copies: how many.
    """

    def __init__(self, of: nn.Module, copies: Annotated[int, Ge(1)]) -> None:
        super().__init__()
        self.models = nn.ModuleList([of, *(copy.deepcopy(of) for _ in range(copies - 1))])

    def forward(self, *inputs: Any, **named: Any) -> Any:
        """Return the mean of what the models say.

        Raises:
            zoo.InputError: their outputs have no mean.
        """
        return mean([model(*inputs, **named) for model in self.models])


def mean(outputs: Sequence[Any]) -> Any:
    """Return the mean of several outputs of one structure, in that structure."""
    first = outputs[0]
    if all(isinstance(output, torch.Tensor) for output in outputs):
        return _mean_tensor(outputs)
    if not all(type(output) is type(first) for output in outputs):
        raise InputError("outputs of several kinds cannot be averaged")
    if isinstance(first, dict):
        if any(output.keys() != first.keys() for output in outputs):
            raise InputError("dicts of several keys cannot be averaged")
        averaged = copy.copy(first)  # a class of its own may have more than its items
        for key in first:
            averaged[key] = mean([output[key] for output in outputs])
        return averaged
    if isinstance(first, list | tuple):
        if len({len(output) for output in outputs}) > 1:
            raise InputError("lists of several lengths cannot be averaged")
        parts = [mean(several) for several in zip(*outputs, strict=True)]
        return type(first)(*parts) if hasattr(first, "_fields") else type(first)(parts)
    if dataclasses.is_dataclass(first):
        names = [field.name for field in dataclasses.fields(first) if field.init]
        means = {name: mean([getattr(output, name) for output in outputs]) for name in names}
        return dataclasses.replace(first, **means)  # type: ignore[type-var]
    if isinstance(first, float):
        return sum(outputs) / len(outputs)
    if any(output != first for output in outputs):
        raise InputError(f"outputs that are {type(first).__name__} and differ cannot be averaged")
    return first


def _mean_tensor(outputs: Sequence[torch.Tensor]) -> torch.Tensor:
    shapes = {tuple(output.shape) for output in outputs}
    if len(shapes) > 1:
        raise InputError(f"tensors of several shapes cannot be averaged: {', '.join(map(str, sorted(shapes)))}")
    first = outputs[0]
    if not first.is_floating_point():
        if all(torch.equal(output, first) for output in outputs):
            return first
        raise InputError(f"tensors that are {str(first.dtype).removeprefix('torch.')} and differ cannot be averaged")
    return torch.stack([output.float() if output.itemsize < 4 else output for output in outputs]).mean(dim=0)
