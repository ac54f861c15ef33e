"""What is done around runs: folds, repeats, sweeps, bench, compare, preview, submissions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from zoo import Component, hookimpl

if TYPE_CHECKING:
    import typer


@hookimpl
def zoo_components() -> list[Component]:
    return []


@hookimpl
def zoo_tables() -> Mapping[str, Callable[..., Any]]:
    from zoo_lab.sweep.settings import Sweep

    return {"sweep": Sweep}


@hookimpl
def zoo_commands(app: typer.Typer) -> None:
    """Each command is a module of its own, which imports what it needs when it is called."""
    from zoo_lab.commands import add_commands

    add_commands(app)
