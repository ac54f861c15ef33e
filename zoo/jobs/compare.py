"""Runs side by side: where their recipes differ, and what they reached."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zoo.errors import InputError
from zoo.recipes.recipe import load_recipe
from zoo.runs.folder import RECIPE, Folder

SPEED = ("examples_per_second", "seconds")


def compare_runs(paths: Sequence[Path]) -> dict[str, Any]:
    """`{"runs": [path, ...], "differences": {key: [value, ...]}, "figures": {name: [value, ...]}}`.

    There is a value for each run. It is None where a run has none.

    Raises:
        InputError: a path is no run folder, or its run is not over.
    """
    folders = [Folder.open(path) for path in paths]
    recipes = [_flat(folder.read(RECIPE, load_recipe).table) for folder in folders]
    results = [_results(folder) for folder in folders]
    figures = [{**one["figures"], **{key: one[key] for key in SPEED if key in one}} for one in results]
    columns = _columns(recipes)
    return {
        "runs": [str(path) for path in paths],
        "differences": {key: values for key, values in columns.items() if any(one != values[0] for one in values)},
        "figures": _columns(figures),
    }


def _columns(rows: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    keys = list(dict.fromkeys(key for row in rows for key in row))
    return {key: [row.get(key) for row in rows] for key in keys}


def _results(folder: Folder) -> dict[str, Any]:
    results = folder.results()
    if results is None:
        raise InputError(f"{folder.path} has no results yet", f"zoo resume {folder.path}")
    return results


def _flat(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """`{"train": {"epochs": 2}}` -> `{"train.epochs": 2}`."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict) and value:
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[prefix + key] = value
    return flat
