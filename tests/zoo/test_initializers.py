"""How an initialiser is written: what is taken, and what is said of the rest."""

from __future__ import annotations

import inspect

import pytest
import torch
from torch import nn

from zoo.recipes.initializers import INITIALIZERS, UnknownInitializer, parse_initializer

TAKEN = {
    "zeros": ("zeros", []),
    "normal": ("normal", []),
    "normal(0.02)": ("normal", [0.02]),
    "normal(-1, 0)": ("normal", [-1.0, 0.0]),
    " normal ( 1 , 2 ) ": ("normal", [1.0, 2.0]),
    "constant(-3e-2)": ("constant", [-0.03]),
    "uniform(-1, 1)": ("uniform", [-1.0, 1.0]),
    "uniform(0.5)": ("uniform", [0.5]),
    "xavier_uniform(2)": ("xavier_uniform", [2.0]),
    "eye()": ("eye", []),
}

REFUSED = {
    "zeroes": "unknown initialiser `zeroes`",
    "__class__": "unknown initialiser",
    "": "unknown initialiser",
    "normal(a)": "are no numbers",
    "normal(nan)": "should be finite",
    "normal(0, inf)": "should be finite",
    "normal(-1)": "should not be negative",
    "normal(0, -1)": "should not be negative",
    "normal(1, 2, 3)": "at most 2 numbers",
    "orthogonal(1, 2)": "at most 1 number",
    "zeros(1)": "at most 0 numbers",
    "constant": "takes 1 number",
    "uniform(2, 1)": "the lower end should come first",
    "uniform(2)": "the lower end should come first",
    "normal(0.02": "is not written as",
    "normal(0.02))": "is not written as",
    "normal 3": "is not written as",
}


@pytest.mark.parametrize("written", TAKEN)
def test_what_is_taken(written: str) -> None:
    assert parse_initializer(written) == TAKEN[written]
    name, numbers = parse_initializer(written)
    getattr(nn.init, f"{name}_")(torch.empty(3, 3), *numbers)


@pytest.mark.parametrize("written", REFUSED)
def test_what_is_refused(written: str) -> None:
    with pytest.raises(UnknownInitializer) as refused:
        parse_initializer(written)
    assert REFUSED[written] in refused.value.message


def test_a_suggestion_keeps_the_numbers() -> None:
    with pytest.raises(UnknownInitializer) as refused:
        parse_initializer("nrmal(0, 0.02)")
    assert refused.value.suggestion == "normal(0, 0.02)"


def test_they_are_torch_s() -> None:
    """Each is a function of torch's, which takes a tensor and at least as many numbers."""
    for name, most in INITIALIZERS.items():
        parameters = inspect.signature(getattr(nn.init, f"{name}_")).parameters
        assert len([one for one in parameters if one not in ("tensor", "generator")]) >= most
