"""Runs side by side, from folders written by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from zoo import InputError
from zoo.jobs.compare import compare_runs
from zoo.runs.folder import Folder


@pytest.fixture
def written(tmp_path: Path) -> Any:
    """`written(name, recipe, results)` makes a run folder."""

    def write(name: str, recipe: str, results: dict[str, Any] | None) -> Path:
        folder = Folder(tmp_path / name)
        folder.path.mkdir()
        folder.commit({"recipe.toml": [recipe.encode()]})
        if results is not None:
            folder.write("results.json", json.dumps(results).encode())
        return folder.path

    return write


def test_a_column_has_a_value_for_every_run(written: Any) -> None:
    """None where a run has none; keys of nested tables are dotted; what is alike in all is left out."""
    paths = [
        written("a", "task = 't'\n[train]\nepochs = 2\nseed = 1\n", {"figures": {"val/loss": 0.5}, "seconds": 3}),
        written("b", "task = 't'\n[train]\nepochs = 2\nseed = 1\n", {"figures": {"val/loss": 0.4, "val/f1": 1}}),
        written(
            "c",
            "task = 't'\n[train]\nepochs = 3\nseed = 1\ninitialize = {}\n[train.own]\ndeep = [1]\n",
            {"figures": {}, "examples_per_second": 9.0, "device": "cpu"},
        ),
    ]
    assert compare_runs(paths) == {
        "runs": list(map(str, paths)),
        "differences": {
            "train.epochs": [2, 2, 3],
            "train.initialize": [None, None, {}],
            "train.own.deep": [None, None, [1]],
        },
        "figures": {
            "val/loss": [0.5, 0.4, None],
            "seconds": [3, None, None],
            "val/f1": [None, 1, None],
            "examples_per_second": [None, None, 9.0],
        },
    }


def test_a_run_that_is_not_over_is_refused(written: Any) -> None:
    with pytest.raises(InputError, match=r"has no results yet\n.*zoo resume"):
        compare_runs([written("a", "", None)])
