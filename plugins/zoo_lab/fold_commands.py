"""`zoo folds RECIPE [KEY=VALUE...]` and `zoo repeat RECIPE [KEY=VALUE...]`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from zoo import OverridesArgument, QuickOption, RecipeArgument, RecipeCommand, print_json, print_table, say

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add both commands."""
    app.command("folds", cls=RecipeCommand)(folds)
    app.command("repeat", cls=RecipeCommand)(repeat)


def folds(
    recipe: RecipeArgument,
    overrides: OverridesArgument = None,
    folds: Annotated[int, typer.Option(help="Into how many parts the labelled samples are divided.", min=2)] = 5,
    seed: Annotated[int, typer.Option(help="Of the division.", min=0)] = 0,
    quick: QuickOption = False,
    out: Annotated[Path | None, typer.Option(help="The folder of all folds, also one to go on with.")] = None,
    as_json: Json = False,
) -> None:
    """Cross-validate a recipe: train with each part of the samples held out, and average the models."""
    from zoo import show_progress
    from zoo_lab.folds import run_folds
    from zoo_lab.series import require_met

    with show_progress():
        results = run_folds(recipe, overrides or [], folds=folds, seed=seed, quick=quick, out=out)
    if as_json:
        print_json(results)
    else:
        figures = results["figures"]
        rows = [
            (name, f"{value:.5g}", f"{figures[f'{name}_std']:.2g}" if f"{name}_std" in figures else "")
            for name, value in figures.items()
            if not (name.endswith("_std") and name.removesuffix("_std") in figures)
        ]
        print_table(("figure", "mean", "std of folds"), rows)
        if results["average"]:
            say(f"the average of the models, for predictions: {results['folder']}/{results['average']}")
    require_met(results)


def repeat(
    recipe: RecipeArgument,
    overrides: OverridesArgument = None,
    seeds: Annotated[int, typer.Option(help="How many runs.", min=2)] = 5,
    vary: Annotated[list[str] | None, typer.Option(help="A key that gets the seed, too: dataset.seed.")] = None,
    quick: QuickOption = False,
    out: Annotated[Path | None, typer.Option(help="The folder of all runs, also one to go on with.")] = None,
    as_json: Json = False,
) -> None:
    """Run a recipe with several seeds: the mean of every figure, and how far it can be trusted."""
    from zoo import show_progress
    from zoo_lab.repeat import run_repeats
    from zoo_lab.series import require_met

    with show_progress():
        results = run_repeats(recipe, overrides or [], seeds=seeds, vary=vary or [], quick=quick, out=out)
    if as_json:
        print_json(results)
    else:
        print_table(("figure", "mean", "95% interval", "runs", "baseline"), map(_row, results["repeats"].items()))
        for name, stated in results["expect"].items():
            say(f"[expect] `{name}` {'holds' if stated['met'] else 'does not hold'} for every seed")
    require_met(results)


def _row(repeated: tuple[str, dict[str, Any]]) -> tuple[str, ...]:
    name, stated = repeated
    baselines = ", ".join(f"{answer} {value:.4g}" for answer, value in stated["baselines"].items())
    values = " ".join(f"{value:.4g}" for value in stated["values"])
    return name, f"{stated['mean']:.5g}", f"{stated['low']:.5g} to {stated['high']:.5g}", values, baselines
