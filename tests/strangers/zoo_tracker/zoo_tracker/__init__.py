"""A tracker: one JSON line an event in `$ZOO_TRACKER`, closed however a run ends."""

import json
import os
from pathlib import Path

from zoo import hookimpl

FILES = {}  # open, by run folder


def write(run, **event):
    print(json.dumps({"step": run.step, **event}), file=FILES[run.folder], flush=True)


@hookimpl
def zoo_run_started(run):
    if os.environ.get("ZOO_TRACKER"):
        FILES[run.folder] = (Path(os.environ["ZOO_TRACKER"]) / f"{run.folder.name}.jsonl").open("a")
        write(run, event="goes on" if run.resumed else "begins", lr=run.recipe["optimizer"]["lr"])


@hookimpl
def zoo_logged(run, figures):
    if run.folder in FILES:
        write(run, event="logged", **figures)


@hookimpl
def zoo_evaluated(run, figures):
    if run.folder in FILES:
        write(run, event="evaluated", best=run.best, **figures)


@hookimpl
def zoo_run_ended(run, status, results):
    if run.folder in FILES:
        write(run, event=status, figures=results and results["figures"])
        FILES.pop(run.folder).close()
