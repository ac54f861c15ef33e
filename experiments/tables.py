"""Trials of a sweep in groups, with intervals."""

from __future__ import annotations

import json
import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from scipy import stats

CONFIDENCE = 0.95


def trials(folder: Path) -> list[dict[str, Any]]:
    """The finished trials of a sweep, as its results.json has them."""
    found = json.loads((folder / "results.json").read_bytes())["trials"]
    return [trial for trial in found if trial["state"] == "done"]


def grouped(
    found: Iterable[dict[str, Any]], keys: Sequence[str], value: Callable[[dict[str, Any]], float]
) -> dict[tuple[Any, ...], list[float]]:
    """Values by the given parameters, one for each setting of all others (seeds), in the order of the trials."""
    groups: dict[tuple[Any, ...], list[float]] = defaultdict(list)
    for trial in found:
        groups[tuple(_hashable(trial["point"][key]) for key in keys)].append(value(trial))
    return dict(groups)


def interval(values: Sequence[float]) -> float:
    """Half the width of the mean's 95% interval (Student's t)."""
    if len(values) < 2:
        return math.nan
    quantile = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1))
    return quantile * statistics.stdev(values) / math.sqrt(len(values))


def shown(values: Sequence[float], digits: int = 3) -> str:
    return f"{statistics.fmean(values):.{digits}f} ± {interval(values):.{digits}f}"


def text(value: Any) -> str:
    """A value of a point: lists as `128, 64`, tables as `alexnet, dropout 0.0`."""
    if not isinstance(value, tuple):
        return str(value)
    return ", ".join(
        " ".join(map(str, part)).removeprefix("name ") if isinstance(part, tuple) else str(part) for part in value
    )


def print_markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    for row in (head, ["---"] * len(head), *rows):
        print(f"| {' | '.join(row)} |")


def _hashable(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple(value.items())
    return tuple(value) if isinstance(value, list) else value
