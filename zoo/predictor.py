"""A run folder, ready to predict: the model rebuilt without its dataset, with the assets that were saved beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from zoo.build import Builder
from zoo.catalog import Catalog
from zoo.check import require_valid_task
from zoo.errors import InputError
from zoo.fit import in_fp32
from zoo.hardware import autocast, choose_device, choose_precision, placed
from zoo.recipe import Recipe, load_recipe
from zoo.run_folder import RECIPE, WEIGHTS, Folder
from zoo.settings import Train
from zoo.tasks import Task
from zoo.weights import build_empty, check_asset_hashes, filled, read_tensors


class RunFolder(nn.Module):
    """The annotation of a parameter that takes a run folder's path and is given the loaded model (a teacher)."""

    zoo_parameter = "run"


@dataclass
class Run:
    """A loaded run folder.

    Attributes:
        model: in evaluation mode, on `device`.
        task: knows how raw inputs become samples, and how predictions are shown.
        recipe: the spelled-out recipe.
        assets: vocab, class names, preprocessing, by name.
    """

    path: Path
    model: nn.Module
    task: Task
    recipe: Recipe
    assets: dict[str, Any]
    device: torch.device
    precision: str

    def predict(self, raw: str | Path) -> dict[str, Any]:
        """The prediction for one raw input (a picture's path, a sentence), as a JSON object.

        Raises:
            InputError: the input cannot be read.
        """
        sample, prediction = self.predict_sample(raw)
        return self.task.describe(sample, prediction)

    def predict_sample(self, raw: str | Path) -> tuple[dict[str, Any], Any]:
        """The sample made of a raw input, and its prediction as the task has it."""
        sample = self.task.sample(str(raw))
        return sample, next(iter(self.predict_batch([sample])))

    @torch.inference_mode()
    def predict_batch(self, samples: list[dict[str, Any]]) -> Any:
        batch = {
            name: value.to(self.device) if isinstance(value, torch.Tensor) else value
            for name, value in self.task.collate(samples).items()
        }
        with autocast(self.precision, self.device):
            outputs = self.task.forward(self.model, batch)
        return self.task.predict(self.model, batch, in_fp32(outputs))


def load(
    path: str | Path, device: str = "auto", task: Mapping[str, Any] | None = None, catalog: Catalog | None = None
) -> Run:
    """Load a run folder. Every file is checked against the manifest before it is read.

    Args:
        task: parameters of the task in place of the run's: `{"temperature": 0.5}`.

    Raises:
        InputError: the path is no run folder, or the task has no such parameter.
        RunFailed: a file is missing or damaged, or weights and assets do not belong together.
    """
    folder = Folder.open(Path(path))
    catalog = catalog or Catalog()
    recipe = read_run_recipe(folder, {f"task.{key}": value for key, value in (task or {}).items()})
    if task:
        require_valid_task(recipe, catalog)
    assets = folder.assets()
    builder = Builder(recipe, catalog, load_network)
    builder.offer({}, assets)
    train = builder.settings("train", Train)
    chosen = choose_device(device)
    model = placed(load_model(folder, lambda: builder.component("model")), chosen, train.channels_last)
    built = builder.component("task")
    precision = choose_precision(train.precision if train.precision != "fp16" else "auto", chosen)
    return Run(folder.path, model.eval(), built, recipe, assets, chosen, precision)


def load_network(path: str) -> nn.Module:
    """The model of a run folder alone, in evaluation mode: a teacher, say."""
    return load(path).model


def load_model(folder: Folder, build: Callable[[], nn.Module]) -> nn.Module:
    """A model that `build` makes, with the folder's weights."""
    with ThreadPoolExecutor(1) as pool:
        file = pool.submit(folder.read, WEIGHTS, read_tensors)  # its bytes are hashed while the empty model is built
        model = build_empty(build)
    tensors, metadata = file.result()
    check_asset_hashes(metadata, folder.asset_hashes(), str(folder.path))
    return filled(model, build, tensors, metadata.get("tied", {}), str(folder.path))


def read_run_recipe(folder: Folder, overrides: Mapping[str, Any] | None = None) -> Recipe:
    recipe = folder.read(RECIPE, lambda file: load_recipe(file, overrides or {}))
    for key in ("task", "model"):
        if key not in recipe.table:
            raise InputError(f"{folder.path / RECIPE} names no {key}: it is not the recipe that zoo wrote")
    return recipe


def each_prediction(run: Run, inputs: Iterable[str]) -> Iterable[tuple[str, dict[str, Any], Any]]:
    """Input, sample and prediction, one after the other."""
    for raw in inputs:
        yield raw, *run.predict_sample(raw)
