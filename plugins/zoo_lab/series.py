"""Several runs in one folder that belong together: the same command on the same folder goes on where it was stopped."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from zoo import ExpectationMissed, InputError, Stopped, new_folder, resume, run, say, stop_on_signals, write_file

PLAN, RESULTS = "plan.json", "results.json"


@contextmanager
def begun(out: Path | None, name: str, plan: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """Yield the folder of some runs, and what says whether a signal has asked for a stop.

    Args:
        out: the folder, also one where these runs were begun; by default `runs/<name>/<n>`.
        plan: what makes these runs, as JSON values; kept in the folder.

    Raises:
        zoo.InputError: something else is in the folder.
        zoo.Stopped: a signal came; the same command goes on.
    """
    folder = out or new_folder(name)
    content = json.dumps(plan, indent=2, sort_keys=True, default=str).encode()
    file = folder / PLAN
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is no folder", "name another one with --out")
    if file.exists() and file.read_bytes() != content:
        raise InputError(f"{folder} has runs of another recipe or other settings", "name another folder with --out")
    if not file.exists() and folder.exists() and any(not path.name.startswith(".") for path in folder.iterdir()):
        raise InputError(f"{folder} is not empty", "name another folder with --out, or leave --out away")
    folder.mkdir(parents=True, exist_ok=True)
    write_file(file, content)
    say(f"folder: {folder}")
    try:
        with stop_on_signals() as stop:
            yield folder, stop
    except Stopped as error:
        raise Stopped(error.message, f"the same command with --out {folder} goes on") from error


def run_or_resume(recipe: Any, overrides: Mapping[str, Any], out: Path) -> dict[str, Any]:
    """Return the results of a run: those that are there, those of an interrupted run that goes on, or a new one's."""
    if (out / RESULTS).exists():
        return json.loads((out / RESULTS).read_bytes())  # type: ignore[no-any-return]
    if (out / "manifest.json").exists():
        return resume(out)
    return run(recipe, overrides, out=out)


def by_figure(runs: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    """Return the values that the runs reached, for each figure that all of them have."""
    return {name: [run[name] for run in runs] for name in runs[0] if all(name in run for run in runs)}


def verdict(values: Sequence[float], bounds: Mapping[str, float]) -> dict[str, Any]:
    """Say whether all values are within the bounds that `[expect]` has for a figure, and which is the worst.

    Without a value no bound is met.
    """
    least, most = bounds.get("min", -math.inf), bounds.get("max", math.inf)
    worst = min(values, key=lambda value: min(value - least, most - value), default=None)
    return {"value": worst, **bounds, "met": bool(values) and all(least <= value <= most for value in values)}


def finished(folder: Path, results: Mapping[str, Any]) -> dict[str, Any]:
    """Write the results of all runs."""
    whole = {"folder": str(folder), **results}
    write_file(folder / RESULTS, json.dumps(whole, indent=2).encode())
    return whole


def require_met(results: Mapping[str, Any]) -> None:
    """Raise an error where a figure of `[expect]` was missed.

    Raises:
        zoo.ExpectationMissed: one was.
    """
    missed = [
        f"`{name}` is {stated['value']} and should be "
        + " and ".join(f"{key} {stated[key]}" for key in ("min", "max") if key in stated)
        for name, stated in results["expect"].items()
        if not stated["met"]
    ]
    if missed:
        raise ExpectationMissed("; ".join(missed))
