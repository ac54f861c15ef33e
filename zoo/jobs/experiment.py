"""A recipe, built: everything that training and evaluation need, on its device."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn

from zoo.batches import Batches, make_batches
from zoo.build import Builder
from zoo.catalog import Catalog
from zoo.data import Data
from zoo.errors import InputError, nearest
from zoo.fit import Update
from zoo.folds import fold_of
from zoo.hardware import autocast, choose_device, choose_precision, placed
from zoo.lean_torch import keep_dynamo_out, keep_dynamo_out_of_steps
from zoo.parameters import MovingAverage, freeze, initialize, parameter_groups
from zoo.predictor import load_network
from zoo.pretrained import Pretrained, find_pretrained
from zoo.randomness import seed_all
from zoo.recipe import Recipe, load_recipe
from zoo.run_folder import RECIPE, Folder
from zoo.settings import Eval, Init, Train
from zoo.tasks import Task
from zoo.weights import assign_weights


@dataclass
class Scoring:
    """What evaluation needs, on its device."""

    model: nn.Module
    task: Task
    loss: Callable[[Any, Any], Any] | None
    metrics: dict[str, Any]
    batches: Batches
    split: str
    device: torch.device
    autocast: Callable[[], Any] | None


@dataclass
class Experiment:
    """Everything that training needs."""

    builder: Builder
    data: Data
    train: Train
    eval: Eval
    model: nn.Module
    scoring: Scoring
    batches: Batches
    update: Update
    steps: int
    steps_per_epoch: int
    frozen: list[nn.Module]
    precision: str

    @property
    def device(self) -> torch.device:
        return self.scoring.device


def prepare_scoring(
    recipe: Recipe, catalog: Catalog, train: Train | None = None
) -> tuple[Builder, Data, Scoring, Eval]:
    """Build dataset, task, model, loss and metrics, with the weights that `[init]` names."""
    builder = Builder(recipe, catalog, load_network)
    stated = set(recipe.table)
    initial = _initial(recipe, builder)
    train = train or scoring_settings({} if initial is None else _recipe_of(initial))
    device = choose_device(train.device)
    precision = choose_precision(train.precision, device)
    seed_all(train.seed)
    data = builder.component("dataset")
    if train.folds is not None and train.fold is not None:
        data = fold_of(data, train.folds, train.fold, train.seed)
    builder.offer(data.facts, data.assets)
    for kind in {"task", "model", "loss"} - stated:
        _leave_to_facts(recipe, kind, data)
    task = builder.component("task")
    model = builder.component("model")
    if initial is not None:
        _start_from(model, initial, builder.settings("init", Init))
    settings = builder.settings("eval", Eval)
    loss = builder.component("loss", task.loss) if "loss" in recipe.table or task.loss is not None else None
    metrics = builder.metrics(list(task.metrics) if settings.metrics is None else settings.metrics)
    model = placed(model, device, train.channels_last)
    scoring = Scoring(
        model,
        task,
        placed(loss, device),
        {name: placed(metric, device) for name, metric in metrics.items()},
        make_batches(
            _split(data, settings.split), settings.batch_size or 2 * train.batch_size, device, task.collate,
            workers=train.workers,
        ),
        settings.split,
        device,
        None if precision == "fp32" else partial(autocast, precision, device),
    )  # fmt: skip
    return builder, data, scoring, settings


def prepare_scoring_of(
    folder: Folder, split: str | None = None, device: str = "auto", batch_size: int | None = None
) -> tuple[Data, Scoring]:
    """Build what scores a run's weights on a split of its dataset; by default the one of the recipe's `[eval]`."""
    recipe = load_recipe(folder.path / RECIPE)
    recipe.table["init"] = {"from": str(folder.path)}
    evaluation = recipe.table.setdefault("eval", {})
    evaluation.update({key: value for key, value in (("split", split), ("batch_size", batch_size)) if value})
    _, data, scoring, _ = prepare_scoring(recipe, Catalog(), scoring_settings(recipe.table, device))
    return data, scoring


def prepare(recipe: Recipe, catalog: Catalog) -> Experiment:
    """Build everything that a recipe with `[train]` names.

    Raises:
        InputError: the parts do not fit each other or the data.
    """
    if not recipe.table["train"].get("compile"):
        keep_dynamo_out()
    settings = Builder(recipe, catalog, load_network).settings("train", Train)
    _set_deterministic(settings.deterministic)
    builder, data, scoring, eval_settings = prepare_scoring(recipe, catalog, settings)
    train = builder.settings("train", Train)
    model, device = scoring.model, scoring.device
    precision = choose_precision(train.precision, device)
    initialize(model, train.initialize)
    batches = make_batches(
        _split(data, "train"), train.batch_size, device, scoring.task.collate,
        seed=train.seed, training=True, workers=train.workers, fixed=train.fixed_batches,
    )  # fmt: skip
    per_epoch = -(-len(batches) // train.accumulate)
    steps = train.steps or (train.epochs or 0) * per_epoch
    frozen = freeze(model, train.freeze)
    optimizer = _optimizer(builder, model, train)
    schedule = None
    if "schedule" in recipe.table:
        mode = monitored(train, scoring)[1]
        schedule = builder.component(
            "schedule", optimizer=optimizer, total_steps=steps, steps_per_epoch=per_epoch, mode=mode
        )
    update = Update(
        optimizer,
        schedule,
        train.warmup_steps or round((train.warmup_epochs or 0) * per_epoch),
        train.clip_norm,
        torch.amp.GradScaler(device.type) if precision == "fp16" else None,
        MovingAverage(model, train.ema) if train.ema else None,
    )
    if update.ema is not None:
        scoring.model = update.ema.model
    if train.compile:
        model.compile()
    return Experiment(
        builder, data, train, eval_settings, model, scoring, batches, update, steps, per_epoch, frozen, precision
    )


def scoring_settings(recipe: Mapping[str, Any], device: str = "auto") -> Train:
    """What of a run's `[train]` its figures depend on, for scoring its weights elsewhere."""
    stated = recipe.get("train", {})
    kept = ("batch_size", "channels_last", "precision", "workers", "seed", "folds", "fold")
    return Train(device=device, **{key: stated[key] for key in kept if key in stated})


def monitored(train: Train, scoring: Scoring) -> tuple[str, str]:
    """The monitored figure and whether it should be small or large ("min" or "max")."""
    figure = train.monitor or scoring.task.monitor.replace("val/", f"{scoring.split}/", 1)
    if train.mode is not None:
        return figure, train.mode
    name = figure.partition("/")[2]
    owner = scoring.metrics.get(name)
    if owner is None and len(scoring.metrics) == 1 and name != "loss" and not name.startswith("loss_"):
        owner = next(iter(scoring.metrics.values()))
    if owner is None:  # a figure of a metric that computes several
        owner = next((metric for key, metric in scoring.metrics.items() if name.startswith(key.split("_")[0])), None)
    higher = getattr(owner, "higher_is_better", None)
    return figure, "max" if higher or (higher is None and not name.startswith("loss")) else "min"


def _optimizer(builder: Builder, model: nn.Module, train: Train) -> torch.optim.Optimizer:
    groups = parameter_groups(model, train.groups)
    spec = builder.recipe.table["optimizer"]
    otherwise = isinstance(spec, dict) and any(spec.get(name) for name in ("foreach", "differentiable"))
    # One kernel for all weights, where the optimizer has it and the recipe does not ask for what excludes it.
    optimizer = builder.component("optimizer", params=groups, fused=not otherwise)
    if not train.compile:
        keep_dynamo_out_of_steps(optimizer)
    if train.lr_per is not None:
        for group in optimizer.param_groups:
            group["lr"] *= train.batch_size * train.accumulate / train.lr_per
    return optimizer  # type: ignore[no-any-return]


def _initial(recipe: Recipe, builder: Builder) -> Pretrained | None:
    """What `[init]` names; a run folder's assets are offered, and its components stand in for missing ones."""
    if "init" not in recipe.table:
        return None
    initial = find_pretrained(recipe.table["init"]["from"])
    if "into" in recipe.table["init"]:
        return initial
    if initial.folder is not None:
        builder.offer({}, initial.folder.assets())
    before = _recipe_of(initial)
    for kind in ("task", "model", "dataset", "loss"):
        if kind not in recipe.table and kind in before:
            recipe.table[kind] = before[kind]
        if kind not in recipe.table and kind in ("task", "model", "dataset"):
            raise InputError(f"the recipe names no {kind}, and {initial.name} has none to stand in for it")
    return initial


def _leave_to_facts(recipe: Recipe, kind: str, data: Data) -> None:
    """What stands in for a component knows the facts of its own data; those of the data at hand take their place."""
    if isinstance(recipe.table.get(kind), dict):
        recipe.table[kind] = {key: value for key, value in recipe.table[kind].items() if key not in data.facts}


def _recipe_of(initial: Pretrained) -> dict[str, Any]:
    import tomli

    return {} if initial.folder is None else tomli.loads((initial.folder.path / RECIPE).read_text())


def _start_from(model: nn.Module, initial: Pretrained, settings: Init) -> None:
    tensors, tied = initial.read()
    new = assign_weights(_part(model, settings.into), tensors, tied, skip=settings.skip, where=initial.name)
    if new:
        print(f"new, not from {initial.name}: {', '.join(new)}", file=sys.stderr)


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


def _split(data: Data, name: str) -> Any:
    if name in data.splits:
        if len(data.splits[name]) == 0:
            raise InputError(f"the split `{name}` of the dataset is empty")
        return data.splits[name]
    near = nearest(name, data.splits)
    there = f"there are {', '.join(f'`{split}`' for split in data.splits)}"
    raise InputError(f"the dataset has no split `{name}`", f"did you mean `{near}`? {there}" if near else there)


def _set_deterministic(wanted: bool) -> None:
    if wanted:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.backends.cudnn.benchmark = False
    if wanted or torch.are_deterministic_algorithms_enabled():
        torch.use_deterministic_algorithms(wanted)
