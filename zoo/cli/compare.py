"""`zoo compare RUN RUN...`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from zoo.cli.output import print_json, print_table, say


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Run folders.")],
    plot: Annotated[Path | None, typer.Option(help="A folder for plots of each figure, a line for every run.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show runs side by side: where their recipes differ, and what they reached."""
    from zoo.jobs.compare import compare_runs

    compared = compare_runs(runs)
    if as_json:
        print_json(compared)
    else:
        rows = [*compared["differences"].items(), *compared["figures"].items()]
        print_table(("", *compared["runs"]), [(key, *map(_shown, values)) for key, values in rows])
    if plot is not None:
        from zoo.jobs.report import run_curves
        from zoo.runs.folder import Folder

        plot.mkdir(parents=True, exist_ok=True)
        for name, content in run_curves({str(run): Folder.open(run) for run in runs}):
            (plot / f"{name}.png").write_bytes(content)
            say(str(plot / f"{name}.png"))


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.5g}" if isinstance(value, float) else str(value)
