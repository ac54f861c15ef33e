"""A recipe, built: everything that training and evaluation need, on its device."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from zoo.data import Data
from zoo.jobs.monitor import Mode, monitored
from zoo.jobs.scoring import Scoring, prepare_scoring, split_of
from zoo.recipes.build import Builder
from zoo.recipes.recipe import Recipe
from zoo.recipes.settings import Eval, Train
from zoo.registry.catalog import Catalog
from zoo.training.batches import Batches, make_batches
from zoo.training.hardware import choose_precision
from zoo.training.lean_torch import keep_dynamo_out, keep_dynamo_out_of_steps
from zoo.training.learner import Learner
from zoo.training.loop import Update
from zoo.training.parameters import MovingAverage, freeze, initialize, parameter_groups


@dataclass
class Experiment:
    """Everything that training needs.

    Attributes:
        monitor: the figure that chooses the best weights; `mode` says whether it should be small or large.
    """

    builder: Builder
    data: Data
    train: Train
    eval: Eval
    learner: Learner
    scoring: Scoring
    batches: Batches
    update: Update
    steps: int
    steps_per_epoch: int
    frozen: list[nn.Module]
    precision: str
    monitor: str
    mode: Mode

    @property
    def model(self) -> nn.Module:
        return self.learner.model

    @property
    def device(self) -> torch.device:
        return self.scoring.device


def prepare(recipe: Recipe, catalog: Catalog, preparing: Callable[[str], object] = lambda what: None) -> Experiment:
    """Build everything that a recipe with `[train]` names.

    Raises:
        InputError: the parts do not fit each other or the data.
    """
    if not recipe.table["train"].get("compile"):
        keep_dynamo_out()
    settings = Builder(recipe, catalog).settings("train", Train)
    _set_deterministic(settings.deterministic)
    builder, data, scoring, eval_settings = prepare_scoring(recipe, catalog, settings, preparing, training=True)
    train = builder.settings("train", Train)
    learner, model, device = scoring.learner, scoring.model, scoring.device
    precision = choose_precision(train.precision, device)
    initialize(model, train.initialize)
    batches = make_batches(
        split_of(data, "train"), train.batch_size, device, scoring.task.collate,
        seed=train.seed, training=True, workers=train.workers, fixed=train.fixed_batches,
    )  # fmt: skip
    per_epoch = -(-len(batches) // train.accumulate)
    steps = train.steps or (train.epochs or 0) * per_epoch
    frozen = freeze(model, train.freeze)
    monitor, mode = monitored(train, scoring, recipe.table.get("expect", {}))
    optimizer = _optimizer(builder, learner, train)
    schedule = None
    if "schedule" in recipe.table:
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
        scoring = scoring.of(update.ema.model)
    if train.compile:
        learner.compile()
    return Experiment(
        builder, data, train, eval_settings, learner, scoring, batches, update, steps, per_epoch, frozen, precision,
        monitor, mode,
    )  # fmt: skip


def _optimizer(builder: Builder, learner: Learner, train: Train) -> torch.optim.Optimizer:
    groups = parameter_groups(learner.model, train.groups, learner.own_parameters())
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


def _set_deterministic(wanted: bool) -> None:
    if wanted:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.backends.cudnn.benchmark = False
    if wanted or torch.are_deterministic_algorithms_enabled():
        torch.use_deterministic_algorithms(wanted)
