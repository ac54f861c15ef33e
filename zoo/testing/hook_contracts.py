"""What a plugin promises beside its components: its hooks take what a run gives them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from zoo.registry.plugins import Plugin

TABLES = {
    "task": {"name": "classification"},
    "model": {"name": "example"},
    "dataset": {"name": "example"},
    "optimizer": {"name": "sgd", "lr": 0.1},
    "train": {"epochs": 1, "batch_size": 2},
}


def listens(plugin: Plugin) -> None:
    """Its event hooks take a run that is done, one that fails and one that is stopped; and `zoo_commands` an app."""
    import pluggy
    import typer

    from zoo.registry import hooks

    manager = pluggy.PluginManager("zoo")
    manager.add_hookspecs(hooks)
    manager.register(SimpleNamespace(**plugin.hooks), plugin.name)
    _call(manager, "zoo_commands", app=typer.Typer())
    with tempfile.TemporaryDirectory() as folder:
        for status in ("done", "failed", "stopped"):
            for hook, arguments in _events(Path(folder), status):
                _call(manager, hook, **arguments)


def _events(folder: Path, status: str) -> list[tuple[str, dict[str, Any]]]:
    """Return what is told of a run of one step, in order."""
    import torch

    from zoo.data import Data
    from zoo.registry.hooks import RunInfo
    from zoo.registry.plugins import installed
    from zoo.runs.environment import describe_environment
    from zoo.training.loop import Step

    environment = describe_environment(torch.device("cpu"), Data({}), installed())
    run = RunInfo(folder, TABLES, environment, resumed=status == "stopped", step=1, steps=1)
    step = Step(1, 0, torch.tensor(0.5), {"box": torch.tensor(0.5)}, 2, 0.1)
    figures = {"val/loss": 0.5}
    results = {"folder": str(folder), "figures": figures, "expect": {}, "steps": 1, "seconds": 1.0}
    return [
        ("zoo_run_started", {"run": run}),
        ("zoo_step_finished", {"run": run, "step": step}),
        ("zoo_logged", {"run": run, "figures": {"train/loss": 0.5, "lr": 0.1}}),
        ("zoo_evaluated", {"run": run, "figures": figures}),
        ("zoo_run_ended", {"run": run, "status": status, "results": results if status == "done" else None}),
    ]


def _call(manager: Any, hook: str, **arguments: Any) -> None:
    try:
        getattr(manager.hook, hook)(**arguments)
    except Exception as error:
        told = f" with `status` {arguments['status']!r}" if "status" in arguments else ""
        pytest.fail(f"`{hook}`{told} raises {type(error).__name__}: {error}")
