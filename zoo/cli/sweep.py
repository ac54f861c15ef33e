"""`zoo sweep RECIPE [KEY=VALUE...]`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.arguments import Overrides, Quick, RecipeName
from zoo.cli.output import print_json, print_table, say


def sweep(
    recipe: RecipeName,
    overrides: Overrides = None,
    over: Annotated[
        list[str] | None, typer.Option(help="KEY=VALUES to vary: optimizer.lr='{low=1e-4, high=0.1, log=true}'.")
    ] = None,
    quick: Quick = False,
    workers: Annotated[int, typer.Option(help="Trials side by side.", min=1)] = 1,
    out: Annotated[Path | None, typer.Option(help="The sweep's folder, also one to go on with.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run a recipe with other values again and again: at random first, then around the best."""
    from zoo.jobs.sweep.report import run_sweep

    results = run_sweep(recipe, overrides or [], over or [], quick=quick, out=out, workers=workers)
    if as_json:
        print_json(results)
        return
    ordered = sorted(results["trials"], key=lambda trial: trial["number"])
    keys = list(ordered[0]["point"])
    rows = [
        (str(one["number"]), one["state"], *(str(one["point"][key]) for key in keys), _shown(one["value"]))
        for one in ordered
    ]
    print_table(("trial", "state", *keys, results["figure"]), rows)
    say(results["text"])
    say(f"report: {results['folder']}/report.html")


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.5g}"
