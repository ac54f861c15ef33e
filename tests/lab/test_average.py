"""The mean of what several models say, in whatever they say it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
import torch
from torch import nn

from zoo import InputError
from zoo_lab.average import Average, mean


class Pair(NamedTuple):
    first: Any
    second: Any


@dataclass
class Said:
    logits: Any
    sizes: tuple[int, ...] = (2, 3)


def test_outputs_are_averaged_wherever_they_stand() -> None:
    """By hand: the mean of 1, 2 and 6 is 3. Counts, texts and None are the same in all, and stay."""
    outputs = [
        {
            "tensor": torch.full((2, 1), value),
            "list": [torch.tensor(value), None, "text"],
            "pair": Pair(torch.tensor(value), torch.tensor([7])),
            "said": Said(torch.tensor(value)),
            "number": value,
        }
        for value in (1.0, 2.0, 6.0)
    ]
    averaged = mean(outputs)
    assert averaged["tensor"].tolist() == [[3.0], [3.0]]
    assert averaged["list"] == [torch.tensor(3.0), None, "text"]
    assert averaged["pair"] == Pair(torch.tensor(3.0), torch.tensor([7]))
    assert averaged["said"] == Said(torch.tensor(3.0))
    assert averaged["number"] == 3.0
    assert outputs[0]["tensor"].tolist() == [[1.0], [1.0]]
    assert type(mean([OrderedDict(x=torch.ones(1))] * 2)) is OrderedDict


def test_half_precision_is_averaged_in_full() -> None:
    """1 and 1 + 1/128 are next to each other in bf16: their mean is in neither."""
    halves = [torch.tensor([value], dtype=torch.bfloat16) for value in (1.0, 1 + 1 / 128)]
    assert mean(halves).item() == 1 + 1 / 256


@pytest.mark.parametrize(
    "outputs, said",
    [
        ([torch.ones(2), torch.ones(3)], r"several shapes cannot be averaged: \(2,\), \(3,\)"),
        ([torch.tensor([1]), torch.tensor([2])], "int64 and differ"),
        ([[torch.ones(1)], [torch.ones(1)] * 2], "several lengths"),
        ([torch.ones(1), {"x": torch.ones(1)}], "several kinds"),
        ([[torch.ones(1)], {"x": torch.ones(1)}], "several kinds"),
        ([{"x": 1.0}, {"y": 1.0}], "several keys"),
        (["a", "b"], "str and differ"),
    ],
)
def test_what_has_no_mean_is_an_error(outputs: list[Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        mean(outputs)


def test_copies_are_models_of_their_own() -> None:
    """Changing one changes no other; arguments go to all of them, by place and by name."""

    class Scale(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.factor = nn.Parameter(torch.ones(()))

        def forward(self, x: torch.Tensor, shift: float = 0.0) -> torch.Tensor:
            return self.factor * x + shift

    average = Average(Scale(), 3)
    with torch.no_grad():
        average.models[1].factor.fill_(4.0)
    assert [model.factor.item() for model in average.models] == [1, 4, 1]
    assert average(torch.tensor(1.0), shift=1.0).item() == 3.0
    assert list(average.state_dict()) == ["models.0.factor", "models.1.factor", "models.2.factor"]
