"""A sweep from beginning to end: its trials, then its results, table, plots and report."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from zoo import write_file
from zoo_lab.sweep.plan import make_plan
from zoo_lab.sweep.run import run_trials
from zoo_lab.sweep.verdict import surface_plots, trials_table, verdict


def run_sweep(
    recipe: str,
    overrides: Iterable[str] = (),
    over: Iterable[str] = (),
    *,
    quick: bool = False,
    out: Path | None = None,
    workers: int = 1,
) -> dict[str, Any]:
    """Run a recipe's sweep, or go on with the one in `out`.

    Args:
        over: `KEY=VALUES` texts of what is varied, added to the recipe's `[sweep.over]`.
        workers: processes that run trials side by side.

    Returns:
        What its results.json has: `folder`, `figure`, `mode`, `best` (`trial`, `value`, `point`), `smooth`, `text`,
        and the `trials`.

    Raises:
        InputError: the recipe or the sweep is wrong, or Optuna is not installed.
        RunFailed: no trial came to an end.
        Stopped: a signal came; the same call goes on.
    """
    plan = make_plan(recipe, overrides, over, quick, out)
    trials = run_trials(plan, workers)
    results = {
        "folder": str(plan.folder),
        "figure": plan.settings.figure,
        "mode": plan.settings.mode,
        **verdict(plan, trials),
        "trials": [asdict(trial) for trial in trials],
    }
    write_file(plan.folder / "results.json", json.dumps(results, indent=2).encode())
    write_file(plan.folder / "trials.csv", trials_table(plan.space, trials).encode())
    pictures = dict(surface_plots(plan, trials))
    (plan.folder / "pictures").mkdir(exist_ok=True)
    for name, content in pictures.items():
        write_file(plan.folder / "pictures" / f"{name}.png", content)
    write_file(plan.folder / "report.html", _page(f"sweep of {recipe}", results["text"], pictures).encode())
    return results


def _page(title: str, text: str, pictures: dict[str, bytes]) -> str:
    """Return a page of HTML that needs no other file."""
    title, text = html.escape(title), html.escape(text)
    images = "".join(
        f"<figure><img src='data:image/png;base64,{base64.b64encode(content).decode()}' alt='{html.escape(name)}'>"
        f"<figcaption>{html.escape(name)}</figcaption></figure>"
        for name, content in pictures.items()
    )
    style = "<style>body { font: 16px/1.4 system-ui, sans-serif; margin: 2rem auto; max-width: 1100px }</style>"
    head = f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>{style}"
    return f"{head}<h1>{title}</h1><p>{text}</p>{images}</html>\n"
