"""Runs side by side: where their recipes differ, and what they reached."""

from __future__ import annotations

import io
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo import Folder, InputError

SPEED = ("examples_per_second", "seconds")
NO_FIGURES = ("step", "epoch", "lr")


def compare_runs(paths: Sequence[Path]) -> dict[str, Any]:
    """Return `{"runs": [path, ...], "differences": {key: [value, ...]}, "figures": {name: [value, ...]}}`.

    There is a value for each run. It is None where a run has none.

    Raises:
        InputError: a path is no run folder, or its run is not over.
    """
    folders = [Folder.open(path) for path in paths]
    recipes = [_flat(folder.read("recipe.toml", lambda file: tomllib.loads(file.read_text()))) for folder in folders]
    results = [_results(folder) for folder in folders]
    figures = [{**one["figures"], **{key: one[key] for key in SPEED if key in one}} for one in results]
    columns = _columns(recipes)
    return {
        "runs": [str(path) for path in paths],
        "differences": {key: values for key, values in columns.items() if any(one != values[0] for one in values)},
        "figures": _columns(figures),
    }


def run_curves(runs: Mapping[str, Folder]) -> Iterator[tuple[str, bytes]]:
    """Yield name and PNG of a plot of each evaluated figure over the steps, with a line for every run."""
    events = {label: run.log.events() for label, run in runs.items()}
    names = {name for own in events.values() for event in own for name in event}
    for name in sorted(name for name in names if name not in NO_FIGURES and not name.startswith("train/")):
        lines = {}
        for label, own in events.items():
            if points := [(event["step"], event[name]) for event in own if name in event]:
                lines[label] = points
        yield name.replace("/", "-"), _plot(name, lines)


def _columns(rows: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    keys = list(dict.fromkeys(key for row in rows for key in row))
    return {key: [row.get(key) for row in rows] for key in keys}


def _results(folder: Folder) -> dict[str, Any]:
    results = folder.results()
    if results is None:
        raise InputError(f"{folder.path} has no results yet", f"zoo resume {folder.path}")
    return results


def _flat(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return `{"train.epochs": 2}` of `{"train": {"epochs": 2}}`."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict) and value:
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[prefix + key] = value
    return flat


def _plot(title: str, lines: Mapping[str, list[tuple[int, float]]]) -> bytes:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), dpi=110, layout="constrained")
    axes = figure.subplots()
    for label, points in lines.items():
        axes.plot(*zip(*points, strict=True), label=label, marker="." if len(points) < 30 else None, linewidth=1.4)
    axes.set(xlabel="step", title=title)
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
