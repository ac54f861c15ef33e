"""What a run shows while it goes on: a bar on a terminal, one plain line every few seconds elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from zoo.cli.output import print_json, print_text, say, show_status
from zoo.errors import ExpectationMissed, plain
from zoo.jobs.run_files import Results
from zoo.registry.hooks import RunInfo, hookimpl
from zoo.registry.plugins import listening

EVERY_SECONDS = 5.0


@contextmanager
def show_progress() -> Iterator[None]:
    """Show on stderr what happens in runs inside, and what the core logs."""
    if sys.stderr.isatty():
        show_status("preparing ...")  # while modules load
    with listening(Terminal(), "terminal"):
        yield


class Terminal:
    """Prints progress to stderr: a line that changes on a terminal; elsewhere one every few seconds."""

    def __init__(self) -> None:
        self.said_at = 0.0

    @hookimpl
    def zoo_run_started(self, run: RunInfo) -> None:
        say(f"run folder: {run.folder}")

    @hookimpl
    def zoo_logged(self, run: RunInfo, figures: dict[str, float]) -> None:
        now = time.monotonic()
        if sys.stderr.isatty():
            show_status(_line(run, figures))
        elif now - self.said_at > EVERY_SECONDS:
            self.said_at = now
            say(_line(run, figures))

    @hookimpl
    def zoo_evaluated(self, run: RunInfo, figures: dict[str, float]) -> None:
        say(_line(run, figures) + ("  (best)" if run.best else ""))


def print_results(results: Results, as_json: bool = False, dry_run: bool = False) -> None:
    """Print a run's figures to stdout, or as JSON all of its results.

    Args:
        dry_run: say no more than that it went well.

    Raises:
        ExpectationMissed: a figure of `[expect]` was missed.
    """
    if dry_run:
        say("dry run: one batch went through training, evaluation, save and load")
        return
    if as_json:
        print_json(results)
    else:
        for name, value in results["figures"].items():
            print_text(f"{plain(name)}\t{value:.6g}")
        say(f"{results['seconds']:.0f} s; report: {results['folder']}/report.html")
    missed = [_missed(name, verdict) for name, verdict in results["expect"].items() if not verdict["met"]]
    if missed:
        raise ExpectationMissed("; ".join(missed))


def _missed(name: str, verdict: dict[str, Any]) -> str:
    bounds = " and ".join(
        f"at {'least' if key == 'min' else 'most'} {verdict[key]}" for key in ("min", "max") if key in verdict
    )
    if verdict["value"] is None:
        near = f"; did you mean `{verdict['nearest']}`?" if "nearest" in verdict else ""
        return f"`{name}` should be {bounds}, and the run has no such figure{near}"
    return f"`{name}` is {verdict['value']:.4g} and should be {bounds}"


def _line(run: RunInfo, figures: dict[str, float]) -> str:
    shown = "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
    if not run.steps:  # nothing is trained
        return shown
    rate = f"{run.examples_per_second:.0f} examples/s"
    return f"step {run.step}/{run.steps}  {shown}  {rate}  {_duration(run.seconds_left)} left"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
