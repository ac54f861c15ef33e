"""Weights and the data beside them: which assets may differ, and what of a recipe gives way to facts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from torch import nn

from zoo import Data, InputError
from zoo.jobs.scoring import _leave_to_facts, _part, _require_their_assets, _unsettled
from zoo.recipes.recipe import Recipe
from zoo.runs.assets import hash_of

VOCAB, CLASSES = {"tokens": ["a", "b"]}, ["cat", "dog"]


def weights(**assets: Any) -> Any:
    """Weights that were trained with these assets, which are at hand."""
    hashes = {name: hash_of(value) for name, value in assets.items()}
    folder = SimpleNamespace(assets=lambda: assets)
    return SimpleNamespace(name="old", folder=folder, asset_hashes=lambda: hashes)


def data(**assets: Any) -> Data:
    return Data({}, assets=assets)


@pytest.mark.parametrize("training", [True, False])
def test_another_vocab_of_the_same_size_is_refused(training: bool) -> None:
    with pytest.raises(InputError, match=r'`vocab` of the dataset is not what old .*"a" there and "z" here'):
        _require_their_assets(weights(vocab=VOCAB), data(vocab={"tokens": ["z", "b"]}), training)


def test_classes_may_differ_where_the_weights_are_trained_on(caplog: pytest.LogCaptureFixture) -> None:
    """And a line says so; where they are only scored, classes are what the weights say they are."""
    old, other = weights(classes=CLASSES, vocab=VOCAB), data(classes=["dog", "cat"], vocab=VOCAB)
    _require_their_assets(old, other, True)
    assert caplog.text.count("`classes` changes: ") == 1
    with pytest.raises(InputError, match="`classes` of the dataset is not"):
        _require_their_assets(old, other, False)


def test_the_same_assets_and_those_of_one_side_pass_in_silence(caplog: pytest.LogCaptureFixture) -> None:
    _require_their_assets(weights(vocab=VOCAB, own=1), data(vocab=VOCAB, new=2), False)
    assert caplog.text == ""


def test_weights_that_state_no_assets_are_said_to(caplog: pytest.LogCaptureFixture) -> None:
    bare = SimpleNamespace(name="old.safetensors", folder=None, asset_hashes=dict)
    _require_their_assets(bare, data(vocab=VOCAB, classes=CLASSES), True)  # type: ignore[arg-type]
    assert caplog.messages == ["old.safetensors does not say which `vocab` it was trained with; the dataset's is taken"]
    caplog.clear()
    _require_their_assets(bare, data(classes=CLASSES), True)  # type: ignore[arg-type]
    assert caplog.text == ""


def recipe(**table: Any) -> Recipe:
    return SimpleNamespace(table=table)  # type: ignore[return-value]


def test_facts_that_the_weights_have_settled_are_not_settled_anew() -> None:
    """Stated in the task, the model or the loss; not in another table."""
    own = recipe(
        task={"name": "t", "a": 1}, model={"name": "m", "b": 2}, loss={"name": "l", "c": 3}, dataset={"d": 4}, eval=None
    )
    facts = dict.fromkeys("abcde", 0)
    assert _unsettled(facts, own) == {"d": 0, "e": 0}
    assert _unsettled(facts, recipe(model="m")) == facts


def test_what_stands_in_for_a_component_takes_the_facts_at_hand() -> None:
    own = recipe(model={"name": "m", "num_classes": 3, "width": 8}, loss="l")
    for kind in ("model", "loss", "task"):
        _leave_to_facts(own, kind, Data({}, facts={"num_classes": 5}))
    assert own.table == {"model": {"name": "m", "width": 8}, "loss": "l"}


def test_a_part_of_a_model_is_named() -> None:
    model = nn.ModuleDict({"encoder": nn.Sequential(nn.Linear(1, 1)), "head": nn.Linear(1, 1)})
    assert _part(model, None) is model
    assert _part(model, "encoder.0") is model["encoder"][0]
    with pytest.raises(InputError, match=r"no part `encodr`\n.*did you mean `encoder`\? it has `encoder`, `head`"):
        _part(model, "encodr")
