"""A run folder, ready to predict: the model rebuilt without its dataset, with the assets that were saved beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import nn

from zoo.data import Batch
from zoo.errors import InputError
from zoo.recipes.build import Builder
from zoo.recipes.check import require_valid_task
from zoo.recipes.recipe import Recipe, load_recipe
from zoo.recipes.settings import Train
from zoo.registry.catalog import Catalog
from zoo.runs.folder import RECIPE, WEIGHTS, Folder
from zoo.runs.pretrained import read_weights
from zoo.runs.weights import Tensors, build_empty, filled
from zoo.tasks import Task
from zoo.training.batches import to_device
from zoo.training.hardware import autocast, choose_device, choose_precision, placed
from zoo.training.learner import LOSS, TASK, Learner

BATCH = 16


@dataclass
class Run:
    """A loaded run folder.

    Attributes:
        model: in evaluation mode, on `device`.
        task: knows how raw inputs become samples, and how predictions are shown.
        recipe: the spelled-out recipe.
        assets: vocab, class names, preprocessing, by name.
        beside: the tensors of loss and task that were saved with the weights.
    """

    zoo_parameter: ClassVar[str] = "run"  # how a parameter that takes a run folder is known by its annotation

    path: Path
    model: nn.Module
    task: Task
    recipe: Recipe
    assets: dict[str, Any]
    device: torch.device
    beside: Tensors = field(default_factory=dict)

    @property
    def weights_hash(self) -> str:
        """The sha256 of weights.safetensors."""
        return Folder(self.path).hash_of(WEIGHTS)

    def predict(self, raw: Any) -> Any:
        """The prediction for a raw input, as a JSON object; for a list of them, a list.

        Args:
            raw: what the task predicts from: a sentence; a picture as a path, a PIL image or a uint8 array (H, W, 3).

        Raises:
            InputError: an input cannot be read.
        """
        several = isinstance(raw, list | tuple)
        described = []
        for _, outcome in self.predict_each(raw if several else [raw]):
            if isinstance(outcome, InputError):
                raise outcome
            described.append(self.task.describe(*outcome))
        return described if several else described[0]

    def predict_each(self, inputs: Iterable[Any]) -> Iterator[tuple[Any, tuple[dict[str, Any], Any] | InputError]]:
        """Yield each raw input with its sample and prediction, or with what is wrong with it, in order.

        Files are predicted in batches of those whose samples have one size.
        """
        remaining = iter(inputs)
        while chunk := list(islice(remaining, BATCH if self.task.suffixes else 1)):
            outcomes = [self._sample(raw) for raw in chunk]
            for numbers in _alike(outcomes):
                samples = [outcomes[number] for number in numbers]
                predicted: list[Any]
                try:
                    predicted = list(zip(samples, self.predict_batch(samples), strict=True))
                except InputError as error:
                    predicted = [error] * len(samples)
                for number, outcome in zip(numbers, predicted, strict=True):
                    outcomes[number] = outcome
            yield from zip(chunk, outcomes, strict=True)

    def _sample(self, raw: Any) -> Any:
        try:
            return self.task.sample(str(raw) if isinstance(raw, Path) else raw)
        except InputError as error:
            return error

    @torch.no_grad()
    def outputs(self, batch: Batch) -> Any:
        """Return what the model says of a batch on its device, in fp32 and without gradients."""
        return self.task.outputs(self.model, batch)

    @torch.no_grad()
    def predict_batch(self, samples: list[dict[str, Any]]) -> Any:
        """Predictions as the task has them, one for each sample."""
        return self.task.predict(self.model, to_device(self.task.collate(samples), self.device))


# What a parameter is given that names a run folder (a teacher): the run in training, and None elsewhere, so that what
# was trained is scored and used without it.
RunFolder = Run | None


def load(
    path: str | Path, device: str = "auto", task: Mapping[str, Any] | None = None, catalog: Catalog | None = None
) -> Run:
    """Load a run folder. Every file is checked before it is read.

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
    builder = Builder(recipe, catalog)
    builder.offer({}, assets)
    train = builder.settings("train", Train)
    chosen = choose_device(device)
    model, beside = load_model(folder, lambda: builder.component("model"))
    model = placed(model, chosen, train.channels_last)
    built = placed(builder.component("task").eval(), chosen)
    precision = choose_precision(train.precision if train.precision != "fp16" else "auto", chosen)
    built.autocast = partial(autocast, precision, chosen)
    Learner(model, built, None).assign_own(beside)
    return Run(folder.path, model.eval(), built, recipe, assets, chosen, beside)


def load_given(path: str, device: str) -> Run:
    """Load the run that a component is given: without gradients."""
    run = load(path, device)
    run.model.requires_grad_(False)
    return run


def load_model(folder: Folder, build: Callable[[], nn.Module]) -> tuple[nn.Module, Tensors]:
    """Return a model that `build` makes, with the folder's weights; and the tensors that are a loss's or a task's."""
    with ThreadPoolExecutor(1) as pool:
        file = pool.submit(read_weights, folder)  # its bytes are hashed while the empty model is built
        model = build_empty(build)
    tensors, metadata = file.result()
    own = {name: tensor for name, tensor in tensors.items() if not name.startswith((LOSS, TASK))}
    others = {name: tensor for name, tensor in tensors.items() if name not in own}
    return filled(model, build, own, metadata.get("tied", {}), str(folder.path)), others


def read_run_recipe(folder: Folder, overrides: Mapping[str, Any] | None = None) -> Recipe:
    recipe = folder.read(RECIPE, lambda file: load_recipe(file, overrides or {}))
    for key in ("task", "model"):
        if key not in recipe.table:
            raise InputError(f"{folder.path / RECIPE} names no {key}: it is not the recipe that zoo wrote")
    return recipe


def _alike(samples: list[Any]) -> Iterable[list[int]]:
    """The numbers of the samples that fit into one batch: all of their tensors agree in size."""
    groups: dict[Any, list[int]] = {}
    for number, sample in enumerate(samples):
        if not isinstance(sample, InputError):
            sizes = tuple((name, value.shape) for name, value in sample.items() if isinstance(value, torch.Tensor))
            groups.setdefault(sizes, []).append(number)
    return groups.values()
