"""The same recipe with several seeds: what of a figure is chance, and whether two recipes differ."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo import InputError, open_recipe, say
from zoo_lab.series import RESULTS, begun, by_figure, finished, run_or_resume, verdict

SURE = 0.95


def run_repeats(
    recipe: str | Path,
    overrides: Mapping[str, Any] | Iterable[str] = (),
    *,
    seeds: int = 5,
    vary: Sequence[str] = (),
    quick: bool = False,
    out: Path | None = None,
) -> dict[str, Any]:
    """Run a recipe with seeds in a row, the recipe's own first, and return what results.json holds.

    `figures` has the means, and `repeats` for each figure `mean`, `low` and `high` (the 95% interval of the mean, by
    Student's t), `values` (one a run) and `baselines` (what answers score that ignore the input). A bound of `[expect]`
    is met where it holds for every seed.

    Args:
        seeds: how many, at least 2.
        vary: keys that get the seed, too: `dataset.seed`.
        out: the folder, also one to go on with: `seed-0` ... are run folders in it.

    Raises:
        zoo.InputError: the recipe is wrong, or other runs are in the folder.
        zoo.Stopped: a signal came; the same call goes on.
    """
    if seeds < 2:
        raise InputError("one run says nothing of chance", "--seeds 5")
    opened = open_recipe(recipe, overrides, quick)
    if "train" not in opened.table:
        raise InputError("there is no chance in a recipe without `train`")
    first = opened.table["train"].get("seed", 0)
    chosen = range(first, first + seeds)
    open_recipe(opened, dict.fromkeys(vary, first))  # the keys are there
    plan = {"seeds": list(chosen), "vary": list(vary), "recipe": opened.table}
    with begun(out, f"{opened.name}-repeat", plan) as (folder, stop):
        runs = []
        for number, seed in enumerate(chosen, 1):
            stop.check()
            say(f"seed {seed}: {number} of {seeds}")
            runs.append(run_or_resume(opened, dict.fromkeys(("train.seed", *vary), seed), folder / f"seed-{seed}"))
        figures = by_figure([run["figures"] for run in runs])
        expect = opened.table.get("expect", {})
        return finished(
            folder,
            {
                "seeds": list(chosen),
                "vary": ["train.seed", *vary],
                "figures": {name: statistics.fmean(values) for name, values in figures.items()},
                "repeats": {
                    name: {**interval(values), "values": values, "baselines": _baselines(runs, name)}
                    for name, values in figures.items()
                },
                "expect": {name: verdict(figures.get(name, []), bounds) for name, bounds in expect.items()},
                "runs": [f"seed-{seed}" for seed in chosen],
                "seconds": round(sum(run["seconds"] for run in runs), 2),
            },
        )


def interval(values: Sequence[float]) -> dict[str, float]:
    """Return mean, low and high: the 95% interval of the mean of independent values, by Student's t."""
    import numpy as np
    from scipy.stats import t

    mean, count = statistics.fmean(values), len(values)
    half = float(t.ppf((1 + SURE) / 2, count - 1) * np.std(values, ddof=1)) / math.sqrt(count)
    return {"mean": mean, "low": mean - half, "high": mean + half}


def _baselines(runs: Sequence[Mapping[str, Any]], figure: str) -> dict[str, float]:
    """Return the mean of each baseline of a figure over the runs."""
    stated = by_figure([run.get("baselines", {}).get(figure, {}) for run in runs])
    return {name: statistics.fmean(values) for name, values in stated.items()}


def is_repeat(path: Path) -> bool:
    """Whether a folder has the results of `zoo repeat`."""
    file = path / RESULTS
    return file.is_file() and "repeats" in json.loads(file.read_bytes())


def compare_repeats(first: Path, second: Path) -> dict[str, Any]:
    """Say of each figure that two repeats share whether the second differs from the first, or whether it may be chance.

    Returns:
        `{"runs": [first, second], "figures": {name: {"first", "second", "difference", "p", "verdict"}}}`. The first
        three have `mean`, `low` and `high`, a 95% interval; the difference is second less first, and p that of Welch's
        t-test (Welch, 1947), in which the two may vary unequally. The verdict is "more", "less", or "undecided" where p
        is 0.05 or above.

    Raises:
        zoo.InputError: a folder has no results of `zoo repeat`.
    """
    repeats = [_repeats(path) for path in (first, second)]
    shared = [name for name in repeats[0] if name in repeats[1]]
    figures = {name: _compared(*(own[name]["values"] for own in repeats)) for name in shared}
    return {"runs": [str(first), str(second)], "figures": figures}


def _repeats(path: Path) -> dict[str, Any]:
    if not is_repeat(path):
        raise InputError(f"{path} has no results of several seeds", "zoo repeat RECIPE --out FOLDER")
    return json.loads((path / RESULTS).read_bytes())["repeats"]  # type: ignore[no-any-return]


def _compared(first: Sequence[float], second: Sequence[float]) -> dict[str, Any]:
    means = interval(first), interval(second)
    difference = {"mean": means[1]["mean"] - means[0]["mean"]}
    if len({*first}) == len({*second}) == 1:  # nothing varies: Welch's statistic would be 0 / 0
        difference |= {"low": difference["mean"], "high": difference["mean"]}
        p = float(difference["mean"] == 0)
    else:
        from scipy.stats import ttest_ind

        test = ttest_ind(second, first, equal_var=False)
        bounds = test.confidence_interval(SURE)
        difference |= {"low": float(bounds.low), "high": float(bounds.high)}
        p = float(test.pvalue)
    verdict = ("more" if difference["mean"] > 0 else "less") if p < 1 - SURE else "undecided"
    return {"first": means[0], "second": means[1], "difference": difference, "p": p, "verdict": verdict}
