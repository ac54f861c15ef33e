"""`zoo run RECIPE [KEY=VALUE...]`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.arguments import OverridesArgument, QuickOption, RecipeArgument


def run(
    recipe: RecipeArgument,
    overrides: OverridesArgument = None,
    quick: QuickOption = False,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N.")] = None,
    out: Annotated[Path | None, typer.Option(help="The run folder; by default runs/RECIPE/N.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="One batch through everything, then stop.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> None:
    """Run a recipe: train, evaluate, and leave a run folder."""
    from zoo.cli.progress import print_results, show_progress
    from zoo.jobs import recipe as jobs

    texts = [*(overrides or []), *([f"train.device={device}"] if device else [])]
    with show_progress():
        results = jobs.run(recipe, texts, quick=quick, out=out, dry_run=dry_run)
    print_results(results, as_json, dry_run)
