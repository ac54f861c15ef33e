"""What a plugin may implement. Every hook is optional; a misspelt one is an error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    import typer

    from zoo.registry.component import Component
    from zoo.training.loop import Step

hookspec = pluggy.HookspecMarker("zoo")
hookimpl = pluggy.HookimplMarker("zoo")


@dataclass
class RunInfo:
    """A run, as those see it who listen to it.

    Attributes:
        folder: the run folder.
        recipe: the spelled-out recipe.
        environment: what environment.json holds.
        resumed: whether it goes on from a checkpoint.
        step: steps done so far, of `steps`; both are 0 where nothing is trained.
        best: whether the last evaluation was the best one so far, and its weights are kept for it.
        examples_per_second: the speed of the steps so far; `seconds_left`, what the others will take at that speed.
    """

    folder: Path
    recipe: dict[str, Any]
    environment: dict[str, Any]
    resumed: bool = False
    step: int = 0
    steps: int = 0
    steps_per_epoch: int = 1
    best: bool = False
    examples_per_second: float = 0.0
    seconds_left: float = 0.0

    @property
    def epoch(self) -> int:
        """The epoch that the last step belongs to, from 1; 0 before the first step."""
        return -(-self.step // self.steps_per_epoch)


@hookspec
def zoo_components() -> Iterable[Component]:  # type: ignore[empty-body]
    """The components this plugin offers, made with `zoo.model`, `zoo.dataset`, ..."""


@hookspec
def zoo_recipes() -> Path:  # type: ignore[empty-body]
    """The folder of TOML recipes that this plugin ships; `zoo run NAME` finds them."""


@hookspec
def zoo_commands(app: typer.Typer) -> None:
    """Add subcommands to the `zoo` command."""


@hookspec
def zoo_tables() -> Mapping[str, Callable[..., Any]]:  # type: ignore[empty-body]
    """The tables that this plugin adds to recipes: a dataclass or function by name, whose signature is the schema."""


@hookspec
def zoo_run_started(run: RunInfo) -> None:
    """A run begins, or goes on: `run.resumed` says whether."""


@hookspec
def zoo_step_finished(run: RunInfo, step: Step) -> None:
    """An optimizer step is done; its loss stays on the device. Not called at all when nobody listens."""


@hookspec
def zoo_logged(run: RunInfo, figures: dict[str, float]) -> None:
    """Mean losses and the rate since the last time, by name: `train/loss`, `lr` ..."""


@hookspec
def zoo_evaluated(run: RunInfo, figures: dict[str, float]) -> None:
    """An evaluation is done. Figures by name: `val/loss`, `val/accuracy` ..."""


@hookspec
def zoo_run_ended(run: RunInfo, status: str, results: dict[str, Any] | None) -> None:
    """The run is "done", "stopped" by a signal, or "failed". `results` is None unless it is done."""
