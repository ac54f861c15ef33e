"""`zoo eval RUN`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.output import print_json, print_table


def evaluate(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    split: Annotated[str | None, typer.Option(help="The split to score; by default the recipe's.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    batch_size: Annotated[int | None, typer.Option(help="Samples in a batch.", min=1)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Score a run's weights on its dataset again."""
    from zoo.jobs.recipe import score

    results = score(run, split, device, batch_size)
    if as_json:
        print_json(results)
    else:
        print_table(("figure", "value"), [(name, f"{value:.6g}") for name, value in results["figures"].items()])
