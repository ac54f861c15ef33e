"""What a run shows while it goes on: a bar on a terminal, one plain line every few seconds elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Any

from zoo.cli.output import print_json, print_text, say, show_status
from zoo.errors import ExpectationMissed, plain
from zoo.jobs.listeners import Listener, Results, RunInfo

EVERY_SECONDS = 5.0


class Terminal(Listener):
    """Prints progress to stderr: a line that changes on a terminal; elsewhere one every few seconds."""

    def __init__(self) -> None:
        self.said_at = 0.0
        self.prepared: set[str] = set()
        self.terminal = sys.stderr.isatty()
        if self.terminal:
            show_status("preparing ...")  # while modules load

    def preparing(self, what: str) -> None:
        if self.terminal:
            show_status(f"preparing {what} ...")
        elif what not in self.prepared:
            say(f"preparing {what}")
        self.prepared.add(what)

    def started(self, run: RunInfo) -> None:
        say(f"run folder: {run.folder}")

    def logged(self, progress: Any, figures: dict[str, float]) -> None:
        now = time.monotonic()
        if self.terminal:
            show_status(_line(progress, figures))
        elif now - self.said_at > EVERY_SECONDS:
            self.said_at = now
            say(_line(progress, figures))

    def evaluated(self, progress: Any, epoch: int, figures: dict[str, float]) -> None:
        best = "  (best)" if progress.chosen else ""
        say(_line(progress, figures) + best)

    def say(self, message: str) -> None:
        say(message)


def close(results: Results, as_json: bool, dry_run: bool = False) -> None:
    """Print the results.

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


def _line(progress: Any, figures: dict[str, float]) -> str:
    shown = "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
    rate = progress.examples / progress.train_seconds if progress.train_seconds else 0.0
    left = (progress.steps - progress.step) * progress.train_seconds / max(1, progress.step)
    return f"step {progress.step}/{progress.steps}  {shown}  {rate:.0f} examples/s  {_duration(left)} left"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
