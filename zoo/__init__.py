"""zoo: a plugin-based zoo of deep-learning models, trained and evaluated from TOML recipes.

These are the public names; a plugin imports nothing else. Importing `zoo` imports no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zoo.errors import ExpectationMissed, InputError, PluginFailed, RunFailed, Stopped, ZooError, nearest
from zoo.registry.component import Component, dataset, loss, metric, model, optimizer, schedule, task
from zoo.registry.hooks import hookimpl

if TYPE_CHECKING:
    from zoo.cli.arguments import OverridesArgument, QuickOption, RecipeArgument, RecipeCommand
    from zoo.cli.output import print_json, print_table, say
    from zoo.cli.progress import print_results, show_progress
    from zoo.data import Batch, Data, TensorSplit
    from zoo.jobs.evaluate import evaluate
    from zoo.jobs.experiment import Experiment, prepare
    from zoo.jobs.live import LiveRun, resume_run, start_run
    from zoo.jobs.opening import open_recipe
    from zoo.jobs.predict import predictions
    from zoo.jobs.recipe import resume, run, train
    from zoo.jobs.score import score
    from zoo.jobs.scoring import reopen
    from zoo.jobs.signals import stop_on_signals
    from zoo.kit.finding import cached_tensors, find_data
    from zoo.kit.fonts import legible
    from zoo.kit.pictures import (
        PICTURE_SUFFIXES,
        Normalize,
        class_color,
        picture_to_tensor,
        read_picture,
        tensor_to_picture,
    )
    from zoo.kit.vocab import Vocab
    from zoo.recipes.schema import Figure, Mistake, Nested
    from zoo.registry.hooks import RunInfo
    from zoo.registry.plugins import listening
    from zoo.runs.files import cache_folder, write_file
    from zoo.runs.folder import Folder, new_folder
    from zoo.runs.predictor import Run, RunFolder, load
    from zoo.tasks import Losses, Task
    from zoo.training.batches import sample_of
    from zoo.training.loop import Step
    from zoo.training.randomness import seeded

__version__ = "0.1.0"

# Looked up when first used, so that a plugin's `from zoo import hookimpl, model` stays cheap.
_LAZY = {
    "OverridesArgument": "zoo.cli.arguments",
    "QuickOption": "zoo.cli.arguments",
    "RecipeArgument": "zoo.cli.arguments",
    "RecipeCommand": "zoo.cli.arguments",
    "print_json": "zoo.cli.output",
    "print_table": "zoo.cli.output",
    "say": "zoo.cli.output",
    "print_results": "zoo.cli.progress",
    "show_progress": "zoo.cli.progress",
    "Batch": "zoo.data",
    "Data": "zoo.data",
    "TensorSplit": "zoo.data",
    "evaluate": "zoo.jobs.evaluate",
    "Experiment": "zoo.jobs.experiment",
    "prepare": "zoo.jobs.experiment",
    "LiveRun": "zoo.jobs.live",
    "RunInfo": "zoo.registry.hooks",
    "resume_run": "zoo.jobs.live",
    "start_run": "zoo.jobs.live",
    "open_recipe": "zoo.jobs.opening",
    "predictions": "zoo.jobs.predict",
    "resume": "zoo.jobs.recipe",
    "run": "zoo.jobs.recipe",
    "train": "zoo.jobs.recipe",
    "score": "zoo.jobs.score",
    "reopen": "zoo.jobs.scoring",
    "stop_on_signals": "zoo.jobs.signals",
    "cached_tensors": "zoo.kit.finding",
    "find_data": "zoo.kit.finding",
    "legible": "zoo.kit.fonts",
    "Normalize": "zoo.kit.pictures",
    "PICTURE_SUFFIXES": "zoo.kit.pictures",
    "class_color": "zoo.kit.pictures",
    "picture_to_tensor": "zoo.kit.pictures",
    "read_picture": "zoo.kit.pictures",
    "tensor_to_picture": "zoo.kit.pictures",
    "Vocab": "zoo.kit.vocab",
    "Figure": "zoo.recipes.schema",
    "Mistake": "zoo.recipes.schema",
    "Nested": "zoo.recipes.schema",
    "listening": "zoo.registry.plugins",
    "cache_folder": "zoo.runs.files",
    "write_file": "zoo.runs.files",
    "Folder": "zoo.runs.folder",
    "new_folder": "zoo.runs.folder",
    "Run": "zoo.runs.predictor",
    "RunFolder": "zoo.runs.predictor",
    "load": "zoo.runs.predictor",
    "Losses": "zoo.tasks",
    "Task": "zoo.tasks",
    "sample_of": "zoo.training.batches",
    "Step": "zoo.training.loop",
    "seeded": "zoo.training.randomness",
}

__all__ = [
    "PICTURE_SUFFIXES",
    "Batch",
    "Component",
    "Data",
    "ExpectationMissed",
    "Experiment",
    "Figure",
    "Folder",
    "InputError",
    "LiveRun",
    "Losses",
    "Mistake",
    "Nested",
    "Normalize",
    "OverridesArgument",
    "PluginFailed",
    "QuickOption",
    "RecipeArgument",
    "RecipeCommand",
    "Run",
    "RunFailed",
    "RunFolder",
    "RunInfo",
    "Step",
    "Stopped",
    "Task",
    "TensorSplit",
    "Vocab",
    "ZooError",
    "cache_folder",
    "cached_tensors",
    "class_color",
    "dataset",
    "evaluate",
    "find_data",
    "hookimpl",
    "legible",
    "listening",
    "load",
    "loss",
    "metric",
    "model",
    "nearest",
    "new_folder",
    "open_recipe",
    "optimizer",
    "picture_to_tensor",
    "predictions",
    "prepare",
    "print_json",
    "print_results",
    "print_table",
    "read_picture",
    "reopen",
    "resume",
    "resume_run",
    "run",
    "sample_of",
    "say",
    "schedule",
    "score",
    "seeded",
    "show_progress",
    "start_run",
    "stop_on_signals",
    "task",
    "tensor_to_picture",
    "train",
    "write_file",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module `zoo` has no attribute `{name}`")
    import importlib

    value = getattr(importlib.import_module(_LAZY[name]), name)
    globals()[name] = value
    return value
