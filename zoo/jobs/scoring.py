"""A recipe, built as far as scoring needs it: dataset, task, model, loss and metrics, on their device."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from zoo.data import Data
from zoo.errors import InputError, nearest
from zoo.recipes.build import Builder
from zoo.recipes.check import require_valid
from zoo.recipes.recipe import Overrides, Recipe, load_recipe
from zoo.recipes.settings import Eval, Init, Train
from zoo.registry.catalog import Catalog
from zoo.runs.assets import MAY_CHANGE, changed_assets
from zoo.runs.folder import RECIPE, Folder
from zoo.runs.predictor import load_given
from zoo.runs.pretrained import Pretrained, find_pretrained
from zoo.runs.weights import Tensors, assign_weights, weights_of
from zoo.tasks import Task
from zoo.training.batches import Batches, make_batches
from zoo.training.hardware import autocast, choose_device, choose_precision, placed
from zoo.training.learner import LOSS, TASK, Learner
from zoo.training.randomness import seed_all

logger = logging.getLogger(__name__)


@dataclass
class Scoring:
    """All that evaluation needs, on its device.

    Attributes:
        tables: what the metrics computed in the last evaluation that is no single number; None before the first.
    """

    learner: Learner
    metrics: dict[str, Any]
    batches: Batches
    split: str
    device: torch.device
    tables: dict[str, Any] | None = None

    @property
    def model(self) -> nn.Module:
        return self.learner.model

    @property
    def task(self) -> Task:
        return self.learner.task

    def of(self, model: nn.Module) -> Scoring:
        """Return what scores another model."""
        return replace(self, learner=self.learner.of(model))

    def weights(self) -> tuple[Tensors, dict[str, str]]:
        """Return the tensors of a file of weights by name, each once, and the names that are tied to another."""
        tensors, tied = weights_of(self.model)
        return {**tensors, **self.learner.own_tensors()}, tied


@dataclass
class Prepared:
    """A recipe, built as far as scoring needs it."""

    builder: Builder
    data: Data
    scoring: Scoring
    eval: Eval

    @property
    def device(self) -> torch.device:
        return self.scoring.device


def prepare_scoring(
    recipe: Recipe, catalog: Catalog, train: Train | None = None, *, training: bool = False, settled: bool = False
) -> Prepared:
    """Build dataset, task, model, loss and metrics, with the weights that `[init]` names.

    Args:
        training: the model is about to be trained, so that components get the runs that they name (teachers).
        settled: the recipe is that of the weights: what it states of the model stands, whatever the facts of the data.

    Raises:
        InputError: the parts do not fit each other, or the data's assets are not those of the weights.
    """
    builder = Builder(recipe, catalog)
    stated = set(recipe.table)
    initial = _initial(recipe, builder)
    train = train or scoring_settings({} if initial is None else _recipe_of(initial))
    device = choose_device(train.device)
    precision = choose_precision(train.precision, device)
    seed_all(train.seed)
    if training:
        builder.load_run = partial(load_given, device=str(device))
    logger.info("preparing dataset `%s`", recipe.table["dataset"]["name"])
    data = builder.component("dataset")
    if initial is not None:
        _require_their_assets(initial, data, "train" in recipe.table and not settled)
    builder.offer(_unsettled(data.facts, recipe) if settled else data.facts, data.assets)
    for kind in {"task", "model", "loss"} - stated:
        _leave_to_facts(recipe, kind, data)
    task = builder.component("task")
    task.autocast = partial(autocast, precision, device)
    model = builder.component("model")
    loss = builder.component("loss", task.loss) if "loss" in recipe.table or task.loss is not None else None
    learner = Learner(model, task, loss)
    if initial is not None:
        _start_from(learner, initial, builder.settings("init", Init))
        builder.spelled["init"]["from"] = initial.from_anywhere
    settings = builder.settings("eval", Eval)
    metrics = builder.metrics(list(task.metrics) if settings.metrics is None else settings.metrics)
    placed(model, device, train.channels_last)
    scoring = Scoring(
        learner.to(device),
        {name: placed(metric, device) for name, metric in metrics.items()},
        make_batches(
            split_of(data, settings.split), settings.batch_size or 2 * train.batch_size, device, task.collate,
            workers=train.workers,
        ),
        settings.split,
        device,
    )  # fmt: skip
    return Prepared(builder, data, scoring, settings)


def reopen(
    path: str | Path,
    overrides: Overrides = (),
    *,
    split: str | None = None,
    device: str = "auto",
    batch_size: int | None = None,
) -> Prepared:
    """Build what scores a run's weights on a split of its dataset; by default the one of the recipe's `[eval]`.

    Args:
        overrides: `KEY=VALUE` texts or values by key, as for a run: other data, other metrics.
    """
    folder, catalog = Folder.open(Path(path)), Catalog()
    recipe = folder.read(RECIPE, lambda file: load_recipe(file, overrides))
    if overrides:
        require_valid(recipe, catalog)
    recipe.table["init"] = {"from": str(folder.path)}
    evaluation = recipe.table.setdefault("eval", {})
    evaluation.update({key: value for key, value in (("split", split), ("batch_size", batch_size)) if value})
    settings = scoring_settings(recipe.table, device)
    return prepare_scoring(recipe, catalog, settings, settled=True)


def scoring_settings(recipe: Mapping[str, Any], device: str = "auto") -> Train:
    """Return what of a run's `[train]` its figures depend on, for scoring its weights elsewhere."""
    stated = recipe.get("train", {})
    kept = ("batch_size", "channels_last", "precision", "workers", "seed")
    return Train(device=device, **{key: stated[key] for key in kept if key in stated})


def split_of(data: Data, name: str) -> Any:
    if name in data.splits:
        if len(data.splits[name]) == 0:
            raise InputError(f"the split `{name}` of the dataset is empty")
        return data.splits[name]
    near = nearest(name, data.splits)
    there = f"there are {', '.join(f'`{split}`' for split in data.splits)}"
    raise InputError(f"the dataset has no split `{name}`", f"did you mean `{near}`? {there}" if near else there)


def _initial(recipe: Recipe, builder: Builder) -> Pretrained | None:
    """Return what `[init]` names; a run folder's assets are offered, and its components stand in for missing ones."""
    if "init" not in recipe.table:
        return None
    initial = find_pretrained(recipe.table["init"]["from"])
    if "into" in recipe.table["init"]:
        return initial
    if initial.folder is not None:
        builder.offer({}, initial.folder.assets())
    before = _recipe_of(initial)
    inherited = ("task", "model", "dataset") if "task" in recipe.table else ("task", "model", "dataset", "loss")
    for kind in inherited:  # a recipe that states a task gets that task's loss
        if kind not in recipe.table and kind in before:
            recipe.table[kind] = before[kind]
        if kind not in recipe.table and kind in ("task", "model", "dataset"):
            raise InputError(f"the recipe names no {kind}, and {initial.name} has none to stand in for it")
    return initial


def _leave_to_facts(recipe: Recipe, kind: str, data: Data) -> None:
    """Forget the facts of other data that a stand-in component knows; those of the data at hand take their place."""
    if isinstance(recipe.table.get(kind), dict):
        recipe.table[kind] = {key: value for key, value in recipe.table[kind].items() if key not in data.facts}


def _unsettled(facts: Mapping[str, Any], recipe: Recipe) -> dict[str, Any]:
    """The facts that the recipe of a run does not state already."""
    tables = [recipe.table[kind] for kind in ("task", "model", "loss") if isinstance(recipe.table.get(kind), dict)]
    return {name: value for name, value in facts.items() if not any(name in table for table in tables)}


def _require_their_assets(initial: Pretrained, data: Data, training: bool) -> None:
    """Refuse data whose vocab, say, is not the one that the weights were trained with, however well the shapes fit.

    Raises:
        InputError: an asset differs; where the weights are trained on, classes and preprocessing may.
    """
    hashes = initial.asset_hashes()
    known = {} if initial.folder is None else initial.folder.assets()
    for name, difference in changed_assets(hashes, known, data.assets).items():
        if not training or name not in MAY_CHANGE:
            raise InputError(
                f"`{name}` of the dataset is not what {initial.name} was trained with: {difference}",
                f"weights and `{name}` belong together: let the dataset take it from the weights, or leave [init] out",
            )
        logger.warning("`%s` changes: %s", name, difference)
    unknown = [name for name in data.assets if name not in hashes and name not in MAY_CHANGE]
    if unknown and not hashes:
        what = ", ".join(f"`{name}`" for name in unknown)
        logger.warning("%s does not say which %s it was trained with; the dataset's is taken", initial.name, what)


def _recipe_of(initial: Pretrained) -> dict[str, Any]:
    return {} if initial.folder is None else initial.folder.read(RECIPE, load_recipe).table


def _start_from(learner: Learner, initial: Pretrained, settings: Init) -> None:
    """Take the initial weights over; those of a loss or a task where the learner has the same."""
    tensors, tied = initial.read()
    own = {name: tensor for name, tensor in tensors.items() if not name.startswith((LOSS, TASK))}
    part, tied = _under(settings.part, own, tied, initial.name)
    where = initial.name if settings.part is None else f"`{settings.part}` of {initial.name}"
    new = assign_weights(_part(learner.model, settings.into), part, tied, skip=settings.skip, where=where, copy=True)
    if settings.part is None and settings.into is None:
        new += learner.assign_own({name: tensor for name, tensor in tensors.items() if name not in own})
    if new:
        logger.warning("new, not from %s: %s", initial.name, ", ".join(new))


def _under(name: str | None, tensors: Tensors, tied: dict[str, str], where: str) -> tuple[Tensors, dict[str, str]]:
    """Return the tensors of one part of a saved model, named as the part names them.

    Raises:
        InputError: the weights have no such part.
    """
    if name is None:
        return tensors, tied
    start = f"{name}."
    whole = {**tensors, **{other: tensors[first] for other, first in tied.items()}}
    part = {key.removeprefix(start): tensor for key, tensor in whole.items() if key.startswith(start)}
    if not part:
        parts = sorted({key.partition(".")[0] for key in tensors})
        near = nearest(name, parts)
        help = (f"did you mean `{near}`? " if near else "") + f"they have {', '.join(f'`{own}`' for own in parts)}"
        raise InputError(f"[init] part: {where} has no part `{name}`", help)
    return part, {}


def _part(model: nn.Module, name: str | None) -> nn.Module:
    if name is None:
        return model
    try:
        return model.get_submodule(name)
    except AttributeError as error:
        parts = [own for own, _ in model.named_children()]
        near = nearest(name, parts)
        help = (f"did you mean `{near}`? " if near else "") + f"it has {', '.join(f'`{own}`' for own in parts)}"
        raise InputError(f"[init] into: the model has no part `{name}`", help) from error
