"""zoo: a plugin-based zoo of deep-learning models, trained and evaluated from TOML recipes.

These are the public names; a plugin imports nothing else. Importing `zoo` imports no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zoo.errors import ExpectationMissed, InputError, PluginFailed, RunFailed, Stopped, ZooError
from zoo.registry.component import Component, dataset, loss, metric, model, optimizer, schedule, task
from zoo.registry.hooks import hookimpl

if TYPE_CHECKING:
    from zoo.data import Batch, Data, TensorSplit
    from zoo.jobs.recipe import run
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
    from zoo.recipes.schema import Nested
    from zoo.runs.files import cache_folder
    from zoo.runs.predictor import Run, RunFolder, load
    from zoo.tasks import Task
    from zoo.training.randomness import seeded

__version__ = "0.1.0"

# Looked up when first used, so that a plugin's `from zoo import hookimpl, model` stays cheap.
_LAZY = {
    "Batch": "zoo.data",
    "Data": "zoo.data",
    "TensorSplit": "zoo.data",
    "Task": "zoo.tasks",
    "cache_folder": "zoo.runs.files",
    "cached_tensors": "zoo.kit.finding",
    "find_data": "zoo.kit.finding",
    "legible": "zoo.kit.fonts",
    "Nested": "zoo.recipes.schema",
    "Normalize": "zoo.kit.pictures",
    "PICTURE_SUFFIXES": "zoo.kit.pictures",
    "class_color": "zoo.kit.pictures",
    "picture_to_tensor": "zoo.kit.pictures",
    "read_picture": "zoo.kit.pictures",
    "seeded": "zoo.training.randomness",
    "tensor_to_picture": "zoo.kit.pictures",
    "Vocab": "zoo.kit.vocab",
    "Run": "zoo.runs.predictor",
    "RunFolder": "zoo.runs.predictor",
    "load": "zoo.runs.predictor",
    "run": "zoo.jobs.recipe",
}

__all__ = [
    "PICTURE_SUFFIXES",
    "Batch",
    "Component",
    "Data",
    "ExpectationMissed",
    "InputError",
    "Nested",
    "Normalize",
    "PluginFailed",
    "Run",
    "RunFailed",
    "RunFolder",
    "Stopped",
    "Task",
    "TensorSplit",
    "Vocab",
    "ZooError",
    "cache_folder",
    "cached_tensors",
    "class_color",
    "dataset",
    "find_data",
    "hookimpl",
    "legible",
    "load",
    "loss",
    "metric",
    "model",
    "optimizer",
    "picture_to_tensor",
    "read_picture",
    "run",
    "schedule",
    "seeded",
    "task",
    "tensor_to_picture",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module `zoo` has no attribute `{name}`")
    import importlib

    value = getattr(importlib.import_module(_LAZY[name]), name)
    globals()[name] = value
    return value
