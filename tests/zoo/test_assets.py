"""What travels with weights: its files, and where two runs' differ."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from zoo import InputError
from zoo.runs.assets import asset_files, changed_assets, encode_asset, first_difference, hash_of, is_asset


def test_an_asset_is_a_file_of_json() -> None:
    """Keys in alphabetical order, whatever order they were made in; other letters as they are."""
    content = '{\n "a": [\n  "猫"\n ],\n "b": 1\n}'.encode()
    assert asset_files({"vocab": {"b": 1, "a": ["猫"]}}) == {"vocab.json": [content]}
    assert encode_asset({"a": ["猫"], "b": 1}) == content
    assert hash_of({"b": 1, "a": ["猫"]}) == hashlib.sha256(content).hexdigest()
    assert encode_asset(["b", "a"]) == b'[\n "b",\n "a"\n]'


@pytest.mark.parametrize("name", ["environment", "manifest", "results", "a/b", "..", "a.b", ""])
def test_names_that_no_asset_can_have(name: str) -> None:
    with pytest.raises(InputError, match="cannot be a file's name"):
        asset_files({name: 1})


def test_which_files_are_assets() -> None:
    names = [
        "vocab.json",
        "my-own_1.json",
        "environment.json",
        "manifest.json",
        "results.json",
        "checkpoint/state.json",
    ]
    assert [name for name in [*names, "recipe.toml"] if is_asset(name)] == ["vocab.json", "my-own_1.json"]


@pytest.mark.parametrize(
    ("theirs", "ours", "message"),
    [
        ({"tokens": ["a", "b", "c"]}, {"tokens": ["a", "x", "y"]}, '`v.tokens[1]` is "b" there and "x" here'),
        (["x", "b"], ["a", "b"], '`v[0]` is "x" there and "a" here'),
        (["a", "b"], ["a"], "`v` has 2 entries there and 1 here"),
        ({"a": 1, "b": {"c": [1]}}, {"a": 1, "b": {"c": [2]}}, "`v.b.c[0]` is 1 there and 2 here"),
        ({"a": 1}, {"a": 1, "b": 2}, "`v.b` is only here"),
        ({"a": 1, "b": 2}, {"b": 2}, "`v.a` is only there"),
        ({"a": 1}, [1], '`v` is {"a": 1} there and [1] here'),
        ("x" * 70, "y", '`v` is "' + 56 * "x" + '... there and "y" here'),
    ],
)
def test_the_first_difference_is_named(theirs: Any, ours: Any, message: str) -> None:
    assert first_difference(theirs, ours, "v") == message


def test_assets_of_one_name_are_compared() -> None:
    """Tuples are lists in JSON; what only one of the two has is no change."""
    theirs = {"vocab": ["a"], "classes": ["cat", "dog"], "own": 1}
    hashes = {name: hash_of(value) for name, value in theirs.items()}
    assert changed_assets(hashes, theirs, {"vocab": ("a",), "classes": ["cat", "dog"], "new": 2}) == {}
    changes = changed_assets(hashes, {"vocab": ["a"]}, {"vocab": ["b"], "classes": ["cat"]})
    assert list(changes) == ["classes", "vocab"]
    both = [hash_of(["a"])[:12], hash_of(["b"])[:12]]
    assert changes["vocab"] == (
        f'sha256 {both[0]}... of the weights, {both[1]}... of the dataset; `vocab[0]` is "a" there and "b" here'
    )
    assert "entries" not in changes["classes"]  # the weights' own are not at hand
