"""`zoo resume RUN`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.arguments import ChangedData


def resume(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    changed_data: ChangedData = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> None:
    """Go on with a run that was stopped or killed, from its last checkpoint."""
    from zoo.cli.progress import Terminal, close
    from zoo.jobs import recipe as jobs

    close(jobs.resume(run, Terminal(), changed_data), as_json)
