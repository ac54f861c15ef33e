"""`zoo eval RUN`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.arguments import ChangedData, OverridesArgument
from zoo.cli.output import print_json, print_table


def evaluate(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    overrides: OverridesArgument = None,
    split: Annotated[str | None, typer.Option(help="The split to score; by default the recipe's.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    batch_size: Annotated[int | None, typer.Option(help="Samples in a batch.", min=1)] = None,
    changed_data: ChangedData = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Score a run's weights again: on its dataset, or on another that KEY=VALUE names."""
    from zoo.jobs.score import score

    results = score(run, overrides or [], split=split, device=device, batch_size=batch_size, changed_data=changed_data)
    if as_json:
        print_json(results)
    else:
        print_table(("figure", "value"), [(name, f"{value:.6g}") for name, value in results["figures"].items()])
