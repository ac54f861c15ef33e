"""Runs of a moment, and what they leave."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch

import zoo
from zoo import Stopped, hookimpl
from zoo.jobs import recipe as jobs
from zoo.jobs.experiment import Experiment, prepare
from zoo.jobs.live import LiveRun
from zoo.registry.plugins import listening
from zoo.runs.weights import read_tensors
from zoo.training.loop import Step

RECIPE = Path(__file__).parent / "probe.toml"

Settings = Mapping[str, Any]


def run(out: Path, settings: Settings | None = None, listener: object = None, **train: Any) -> dict[str, Any]:
    """Run the probe recipe; keywords are settings of `[train]`."""
    with heard_by(listener):
        return zoo.run(RECIPE, _overrides(settings, train), out=out)


def resume(out: Path, listener: object = None, **arguments: Any) -> dict[str, Any]:
    with heard_by(listener):
        return jobs.resume(out, **arguments)


@contextmanager
def heard_by(listener: object) -> Iterator[None]:
    """Have a listener hear what runs inside; what `at` of a recorder raises is not contained, as if the job did."""
    with pytest.MonkeyPatch.context() as patch:
        if getattr(listener, "at", None) is not None:
            stepped = LiveRun.stepped
            patch.setattr(LiveRun, "stepped", lambda run, step: (stepped(run, step), listener.at(step.number)))  # type: ignore[attr-defined]
        with nullcontext() if listener is None else listening(listener):
            yield


def experiment(settings: Settings | None = None, **train: Any) -> Experiment:
    """The probe recipe, built."""
    return prepare(RECIPE, _overrides(settings, train))


def trained(parts: Experiment, steps: int | None = None) -> Experiment:
    """Trained without a run around it."""
    stream = parts.steps()
    for step in stream:
        if step.number == steps:
            break
    return parts


def state(parts: Experiment) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in parts.model.state_dict().items()}


def _overrides(settings: Settings | None, train: Settings) -> dict[str, Any]:
    return {**(settings or {}), **{f"train.{key}": value for key, value in train.items()}}


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return read_tensors(folder / "weights.safetensors")[0]


def left(folder: Path) -> tuple[bytes, bytes]:
    """What must not depend on where a run was interrupted."""
    return (folder / "weights.safetensors").read_bytes(), (folder / "metrics.jsonl").read_bytes()


class Recorder:
    """Remembers what it hears, and calls `at(number)` after every step where there is one."""

    def __init__(self, at: Callable[[int], None] | None = None) -> None:
        self.at = at
        self.steps: list[Step] = []
        self.evaluations: list[tuple[int, dict[str, float]]] = []

    @hookimpl
    def zoo_step_finished(self, run: Any, step: Step) -> None:
        self.steps.append(step)

    @hookimpl
    def zoo_evaluated(self, run: Any, figures: dict[str, float]) -> None:
        self.evaluations.append((run.step, figures))


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def stops_at(*numbers: int) -> Recorder:
    """A listener that has this process told to stop after the given steps."""
    return Recorder(lambda number: terminate() if number in numbers else None)


def stopped(out: Path, listener: object = None, settings: Settings | None = None, **train: Any) -> None:
    """A run that a signal stops."""
    with pytest.raises(Stopped):
        run(out, settings, listener, **train)


def stopped_again(out: Path, listener: object) -> None:
    with pytest.raises(Stopped):
        resume(out, listener)


@contextmanager
def nth_call(bells: Any, name: str, number: int, action: Callable[[], None]) -> Iterator[None]:
    """Do something at the n-th ring of a bell."""
    rings = []

    def ring(_: torch.Tensor) -> None:
        rings.append(1)
        if len(rings) == number:
            action()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bells, name, ring)
        yield
    assert len(rings) >= number, "the bell has not rung often enough"
