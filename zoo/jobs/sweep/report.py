"""A sweep from beginning to end: its trials, then its results, table, plots and report."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from zoo.jobs.report import embedded_picture, page
from zoo.jobs.run_files import Results
from zoo.jobs.sweep.run import make_plan, run_trials
from zoo.jobs.sweep.verdict import surface_plots, trials_table, verdict
from zoo.recipes.recipe import parse_overrides
from zoo.runs.files import write_file
from zoo.runs.folder import PICTURES, RESULTS


def run_sweep(
    recipe: str,
    overrides: Iterable[str] = (),
    over: Iterable[str] = (),
    *,
    quick: bool = False,
    out: Path | None = None,
    workers: int = 1,
) -> Results:
    """Run a recipe's sweep, or go on with the one in `out`.

    Args:
        over: `KEY=VALUES` texts of what is varied, added to the recipe's `[sweep.over]`.
        workers: processes that run trials side by side.

    Returns:
        What its results.json has: `folder`, `figure`, `mode`, `best` (`trial`, `value`, `point`), `smooth`, `text`,
        and the `trials`.

    Raises:
        InputError: the recipe or the sweep is wrong.
        RunFailed: no trial came to an end.
        Stopped: a signal came; the same call goes on.
    """
    plan = make_plan(recipe, overrides, parse_overrides(over), quick, out)
    trials = run_trials(plan, workers)
    results = {
        "folder": str(plan.folder),
        "figure": plan.settings.figure,
        "mode": plan.settings.mode,
        **verdict(plan, trials),
        "trials": [asdict(trial) for trial in trials],
    }
    write_file(plan.folder / RESULTS, json.dumps(results, indent=2).encode())
    write_file(plan.folder / "trials.csv", trials_table(plan.space, trials).encode())
    pictures = list(surface_plots(plan, trials))
    (plan.folder / PICTURES).mkdir(exist_ok=True)
    for name, content in pictures:
        write_file(plan.folder / PICTURES / f"{name}.png", content)
    body = f"<p>{html.escape(results['text'])}</p><main>{''.join(map(embedded_picture, pictures))}</main>"
    write_file(plan.folder / "report.html", page(f"sweep of {recipe}", body).encode())
    return results
