"""The trials of a sweep, each a small file beside its run folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from zoo.jobs.sweep.space import Point
from zoo.runs.files import write_file


@dataclass
class Trial:
    """One run of a sweep, as trial-0001.json has it; its run folder is trial-0001.

    Attributes:
        state: `running` until it is `done`, `pruned` or `failed`.
        near: whether it was chosen near the best of those before.
        value: the figure that the sweep is about.
        steps: the figure after each evaluation, by step.
    """

    number: int
    point: Point
    near: bool = False
    state: str = "running"
    value: float | None = None
    figures: dict[str, float] = field(default_factory=dict)
    steps: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    error: str = ""


def read_trials(folder: Path) -> Iterator[Trial]:
    """The trials begun so far, in order."""
    for file in sorted(folder.glob("trial-*.json")):
        trial = read_trial(file)
        if trial is not None:
            yield trial


def read_trial(file: Path) -> Trial | None:
    """A trial, or None where only its place was taken."""
    content = file.read_bytes()
    return Trial(**json.loads(content)) if content else None


def write_trial(file: Path, trial: Trial) -> None:
    write_file(file, json.dumps(asdict(trial)).encode())
