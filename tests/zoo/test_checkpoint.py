"""A checkpoint's tree: tensors apart, all else as JSON, and both together again."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

from zoo.runs.checkpoint import join_tensors, split_tensors


def test_a_tree_comes_back_with_its_types() -> None:
    """Through JSON: keys that are numbers, tuples, names like the marks themselves, nothing at all."""
    tensor = torch.arange(3)
    tree: dict[str, Any] = {
        "plain": [1, 2.5, "text", True, None],
        "numbered": {0: {"step": tensor}, 1: {"step": tensor + 1}},
        "pair": (1, (2, [tensor])),
        "paired": {(1, 2): "a"},
        "marks": {"__tensor__": "x", "__tuple__": [1]},
        "empty": {},
    }
    plain, tensors = split_tensors(tree)
    back = join_tensors(json.loads(json.dumps(plain)), tensors)
    assert torch.equal(back["numbered"][0].pop("step"), tensor)
    assert torch.equal(back["numbered"][1].pop("step"), tensor + 1)
    assert torch.equal(back["pair"][1][1].pop(), tensor)
    assert back == {**tree, "numbered": {0: {}, 1: {}}, "pair": (1, (2, []))}
    assert isinstance(back["pair"], tuple) and isinstance(back["pair"][1], tuple)
    assert len(tensors) == 3


def test_tensors_are_named_by_their_place_and_have_no_gradient() -> None:
    _, tensors = split_tensors({"a": [torch.ones(1, requires_grad=True)], "b": {"c": (torch.zeros(1),)}})
    assert list(tensors) == ["state.a.0", "state.b.c.0"]
    assert not any(tensor.requires_grad for tensor in tensors.values())


def test_what_is_neither_is_named() -> None:
    with pytest.raises(TypeError, match=r"the state at `state\.a\.1` is a set"):
        split_tensors({"a": [1, set()]})
