"""Runs side by side, from folders written by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from zoo import Folder, InputError
from zoo_lab import compare
from zoo_lab.compare import compare_runs, run_curves


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


def test_runs_share_a_plot_for_each_evaluated_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said of training has none; a run without the figure has no line."""
    runs = {name: Folder(tmp_path / name) for name in "ab"}
    for run in runs.values():
        run.path.mkdir()
    runs["a"].log.append({"step": 2, "epoch": 1, "lr": 0.1, "train/loss": 3.0})
    runs["a"].log.append({"step": 4, "epoch": 1, "val/loss": 2.0, "val/accuracy": 0.5})
    runs["b"].log.append({"step": 4, "epoch": 1, "val/loss": 1.0})
    plots: dict[str, Any] = {}
    original = compare._plot
    monkeypatch.setattr(compare, "_plot", lambda title, lines: original(title, plots.setdefault(title, lines)))
    pictures = list(run_curves(runs))
    assert [name for name, _ in pictures] == ["val-accuracy", "val-loss"]
    assert all(content.startswith(b"\x89PNG") for _, content in pictures)
    assert plots == {
        "val/accuracy": {"a": [(4, 0.5)]},
        "val/loss": {"a": [(4, 2.0)], "b": [(4, 1.0)]},
    }
