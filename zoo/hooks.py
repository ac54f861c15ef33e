"""What a plugin may implement. Every hook is optional; a misspelt one is an error."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    import typer

    from zoo.component import Component

hookspec = pluggy.HookspecMarker("zoo")
hookimpl = pluggy.HookimplMarker("zoo")


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
def zoo_run_started(run: dict[str, Any]) -> None:
    """A run begins. `run` has `folder`, `recipe` (the spelled-out table) and `environment`."""


@hookspec
def zoo_step_finished(step: Any) -> None:
    """An optimizer step is done. `step` is the record that `fit` yields; its loss stays on the device."""


@hookspec
def zoo_epoch_finished(event: dict[str, Any]) -> None:
    """An evaluation is done. `event` has `step`, `epoch` and `figures`."""


@hookspec
def zoo_run_finished(results: dict[str, Any]) -> None:
    """The run is over. `results` is what results.json holds."""
