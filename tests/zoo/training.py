"""Runs of a moment, and what they leave."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

import zoo
from zoo import Stopped
from zoo.jobs.experiment import Experiment, prepare
from zoo.jobs.listeners import Listener
from zoo.jobs.recipe import resume
from zoo.recipes.recipe import load_recipe
from zoo.runs.weights import read_tensors
from zoo.training.loop import Step, fit

RECIPE = Path(__file__).parent / "probe.toml"

Settings = Mapping[str, Any]


def run(out: Path, settings: Settings | None = None, listener: Listener | None = None, **train: Any) -> dict[str, Any]:
    """Run the probe recipe; keywords are settings of `[train]`."""
    return zoo.run(RECIPE, _overrides(settings, train), out=out, listener=listener)


def experiment(settings: Settings | None = None, **train: Any) -> Experiment:
    """The probe recipe, built."""
    from zoo.registry.catalog import Catalog

    return prepare(load_recipe(RECIPE, _overrides(settings, train)), Catalog())


def trained(parts: Experiment, steps: int | None = None) -> Experiment:
    """Trained without a run around it."""
    parts.learner.train()
    for module in parts.frozen:
        module.eval()
    stream = fit(
        parts.learner,
        parts.batches,
        parts.update,
        steps=steps or parts.steps,
        accumulate=parts.train.accumulate,
    )
    for _ in stream:
        pass
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


class Recorder(Listener):
    """Remembers what it hears, and calls `at(number)` after every step where there is one."""

    def __init__(self, at: Callable[[int], None] | None = None) -> None:
        self.at = at
        self.step = self._step
        self.steps: list[Step] = []
        self.evaluations: list[tuple[int, dict[str, float]]] = []
        self.said: list[str] = []

    def _step(self, step: Step) -> None:
        self.steps.append(step)
        if self.at is not None:
            self.at(step.number)

    def evaluated(self, progress: Any, epoch: int, figures: dict[str, float]) -> None:
        self.evaluations.append((progress.step, figures))

    def say(self, message: str) -> None:
        self.said.append(message)


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def stops_at(*numbers: int) -> Recorder:
    """A listener that has this process told to stop after the given steps."""
    return Recorder(lambda number: terminate() if number in numbers else None)


def stopped(out: Path, listener: Listener | None = None, settings: Settings | None = None, **train: Any) -> None:
    """A run that a signal stops."""
    with pytest.raises(Stopped):
        run(out, settings, listener, **train)


def stopped_again(out: Path, listener: Listener) -> None:
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
