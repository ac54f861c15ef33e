"""What is done around runs: folds, repeats, sweeps, bench, compare, preview, submissions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from zoo import Component, dataset, hookimpl, model

if TYPE_CHECKING:
    import typer


@hookimpl
def zoo_components() -> list[Component]:
    return [
        dataset(
            "fold",
            "zoo_lab.fold:fold",
            summary="One fold of another dataset, for cross-validation",
            example={"of": "gaussian_linear", "fold": 1},
        ),
        model(
            "average",
            "zoo_lab.average:Average",
            summary="Copies of a model whose outputs are averaged",
            example={"of": "mlp", "copies": 2, "input": [2, 1, 8, 8], "num_inputs": 64},
        ),
    ]


@hookimpl
def zoo_tables() -> Mapping[str, Callable[..., Any]]:
    from zoo_lab.sweep.settings import Sweep

    return {"sweep": Sweep}


@hookimpl
def zoo_commands(app: typer.Typer) -> None:
    """Each command is a module of its own, which imports what it needs when it is called."""
    from zoo_lab import fold_commands
    from zoo_lab.commands import add_commands

    fold_commands.register(app)
    add_commands(app)
