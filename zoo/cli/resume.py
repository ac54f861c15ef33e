"""`zoo resume RUN [KEY=VALUE...]`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.arguments import ChangedData, OverridesArgument


def resume(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    overrides: OverridesArgument = None,
    changed_data: ChangedData = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> None:
    """Go on with a run that was stopped or killed, from its last checkpoint; with train.epochs=N, beyond its end."""
    from zoo.cli.progress import print_results, show_progress
    from zoo.jobs import recipe as jobs

    with show_progress():
        results = jobs.resume(run, overrides or [], changed_data=changed_data)
    print_results(results, as_json)
