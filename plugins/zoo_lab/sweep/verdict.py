"""What a sweep found: a table, plots, and whether the best point stands on a plateau or on a needle."""

from __future__ import annotations

import csv
import io
import itertools
import statistics
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from zoo_lab.sweep.plan import Plan
from zoo_lab.sweep.space import Choices, Range, Space
from zoo_lab.sweep.study import Trial

SMOOTH = 0.5  # of the way from the median of all points to the best, that its neighbours must keep


def verdict(plan: Plan, trials: Sequence[Trial]) -> dict[str, Any]:
    """`{"best": {...}, "smooth": true, "text": "..."}`; `smooth` is None where no neighbour was tried.

    The neighbours of a good point should be good too: if they fall back to what points do anywhere, it was luck.
    """
    searched = [trial for trial in trials if not trial.near and trial.value is not None]
    best = max(searched, key=lambda trial: plan.better * (trial.value or 0.0))
    found: dict[str, Any] = {"trial": best.number, "value": best.value, "point": best.point}
    near = [trial.value for trial in trials if trial.near and trial.value is not None]
    if not near:
        return {"best": found, "smooth": None, "text": "the neighbourhood of the best point was not tried"}
    top = best.value if best.value is not None else 0.0
    middle = statistics.median(trial.value for trial in searched if trial.value is not None)
    around = statistics.median(near)
    kept = (around - middle) / (top - middle) if top != middle else 1.0
    smooth = kept >= SMOOTH
    text = (
        f"{plan.settings.figure} is {top:.5g} at the best point, {around:.5g} in the middle of its {len(near)} "
        f"neighbours and {middle:.5g} in the middle of all points: "
        + ("a smooth place, a point to trust" if smooth else "a lucky spike, not to be trusted")
    )
    return {"best": found, "smooth": smooth, "text": text}


def trials_table(space: Space, trials: Iterable[Trial]) -> str:
    """trials.csv: number, state, whether it is a neighbour, the point, the value, all figures."""
    trials = list(trials)
    figures = list(dict.fromkeys(name for trial in trials for name in trial.figures))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["trial", "state", "near", *space, "value", *figures, "seconds"])
    for trial in trials:
        row = [trial.number, trial.state, int(trial.near), *(trial.point[key] for key in space), trial.value]
        writer.writerow([*row, *(trial.figures.get(name) for name in figures), trial.seconds])
    return text.getvalue()


def surface_plots(plan: Plan, trials: Sequence[Trial]) -> Iterable[tuple[str, bytes]]:
    """The value over each parameter, and over each pair of them as colour."""
    done = [trial for trial in trials if trial.value is not None]
    for key in plan.space:
        yield f"{key}", _scatter(plan, done, [key])
    for pair in itertools.combinations(plan.space, 2):
        yield "-".join(pair), _scatter(plan, done, list(pair))


def _scatter(plan: Plan, trials: Sequence[Trial], keys: list[str]) -> bytes:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), dpi=110, layout="constrained")
    axes = figure.subplots()
    columns = [[_coordinate(plan.space, key, trial.point[key]) for trial in trials] for key in keys]
    values = [trial.value or 0.0 for trial in trials]
    edges = ["red" if trial.near else "none" for trial in trials]
    drawn = axes.scatter(columns[0], columns[1] if len(keys) == 2 else values, c=values, edgecolors=edges, s=60)
    figure.colorbar(drawn, label=plan.settings.figure)
    axes.set_xlabel(keys[0])
    axes.set_ylabel(keys[1] if len(keys) == 2 else plan.settings.figure)
    axes.set_title("neighbours of the best point have a red edge" if any(trial.near for trial in trials) else "")
    _label(axes.set_xscale, axes.set_xticks, plan.space[keys[0]])
    if len(keys) == 2:
        _label(axes.set_yscale, axes.set_yticks, plan.space[keys[1]])
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _coordinate(space: Space, key: str, value: Any) -> float:
    dimension = space[key]
    if isinstance(dimension, Range):
        return float(value)
    return float(dimension.values.index(value))


def _label(set_scale: Callable[..., Any], set_ticks: Callable[..., Any], dimension: Choices | Range) -> None:
    if isinstance(dimension, Choices):
        set_ticks(range(len(dimension.values)), [str(value) for value in dimension.values])
    elif dimension.log:
        set_scale("log")
