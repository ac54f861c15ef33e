"""A recipe, built: everything that training and evaluation need, on its device."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from zoo.data import Batch, Data
from zoo.errors import InputError
from zoo.jobs.monitor import Mode, monitored
from zoo.jobs.opening import open_recipe
from zoo.jobs.scoring import Scoring, prepare_scoring, split_of
from zoo.recipes.build import Builder
from zoo.recipes.recipe import Overrides, Recipe
from zoo.recipes.settings import Eval, Train
from zoo.registry.catalog import Catalog
from zoo.runs.weights import Tensors, assign_weights, weights_of
from zoo.tasks import Task
from zoo.training.batches import Batches, make_batches
from zoo.training.hardware import choose_precision
from zoo.training.lean_torch import keep_dynamo_out, keep_dynamo_out_of_steps
from zoo.training.learner import Learner
from zoo.training.loop import Step, Update, fit
from zoo.training.parameters import MovingAverage, freeze, initialize, parameter_groups
from zoo.training.randomness import random_state, restore_random_state


@dataclass
class Experiment:
    """Everything that a recipe with `[train]` names, on its device.

    Attributes:
        data: splits, facts and assets.
        train, eval: the recipe's tables.
        learner: model, task and loss as one module; called with a batch, it says what that costs.
        scoring: what `zoo.evaluate` scores: the moving average of the model, where there is one.
        batches: of the training split; `batches.epoch(n)` yields those of an epoch.
        update: optimizer, schedule, warm-up, clipping, scaler and moving average.
        total_steps: updates of the weights in all.
        monitor: the figure that chooses the best weights; `mode` says whether it should be small or large.
        stateful: what else goes on changing, by name, each with `state_dict` and `load_state_dict` (a second
            optimizer): it is part of the experiment's state.
    """

    builder: Builder
    data: Data
    train: Train
    eval: Eval
    learner: Learner
    scoring: Scoring
    batches: Batches
    update: Update
    total_steps: int
    steps_per_epoch: int
    frozen: list[nn.Module]
    precision: str
    monitor: str
    mode: Mode
    stateful: dict[str, Any] = field(default_factory=dict)

    @property
    def model(self) -> nn.Module:
        return self.learner.model

    @property
    def task(self) -> Task:
        return self.learner.task

    @property
    def device(self) -> torch.device:
        return self.scoring.device

    def steps(self, start: int = 0) -> Iterator[Step]:
        """Train, and yield a record for each step; the weights are updated when it comes.

        Whatever is done with the model before the next record is asked for (evaluate, save, stop) is done between two
        steps. No step waits for the device: `float(step.loss)` does.

        Args:
            start: steps done before; the loop enters the epoch where they end.
        """
        self.learner.train()
        for module in self.frozen:
            module.eval()
        yield from fit(
            self.learner, self.batches, self.update, steps=self.total_steps, start=start,
            accumulate=self.train.accumulate,
        )  # fmt: skip

    def batches_after(self, start: int) -> Iterator[tuple[int, Batch]]:
        """Yield the training batches after the first `start`, each behind its epoch (from 0), without an end.

        What changes a batch at random draws from (seed, epoch, place) alone: a resumed run has the same ones.
        """
        epoch, first = divmod(start, len(self.batches))
        while True:
            for batch in self.batches.epoch(epoch, first):
                yield epoch, batch
            epoch, first = epoch + 1, 0

    def component(self, kind: str, spec: Any, **supplied: Any) -> Any:
        """Build one component more: a second optimizer, say, of what a table of a plugin's says.

        Args:
            spec: a name, or a table with `name` and parameters.
            supplied: what it is given by parameter name (`params` of an optimizer).
        """
        return self.builder.part(kind, spec, **supplied)

    def table(self, name: str) -> Any:
        """Return a table of the recipe, as the plugin's class makes it that `zoo_tables` names for it.

        A component in it (a parameter marked by `zoo.Nested`) is a function that builds it, as `table.optimizer(
        params=...)`; built before the run begins, it is spelled out in the run's recipe.toml.
        """
        return self.builder.table(name)

    def weights(self) -> tuple[Tensors, dict[str, str]]:
        """Return the tensors of a file of weights by name, each once, and the names that are tied to another."""
        return self.scoring.weights()

    def state_dict(self) -> dict[str, Any]:
        """Return all that goes on changing in training: weights, optimizer, schedule, average, random numbers."""
        update = self.update
        tensors, tied = weights_of(self.model)
        return {
            "model": tensors,
            "tied": tied,
            "learner": self.learner.own_state(),
            "optimizer": update.optimizer.state_dict(),
            "schedule": None if update.schedule is None else _without_functions(update.schedule.state_dict()),
            "scaler": None if update.scaler is None else update.scaler.state_dict(),
            "ema": None if update.ema is None else [update.ema.updates, weights_of(update.ema.model)[0]],
            "stateful": {name: part.state_dict() for name, part in self.stateful.items()},
            "random": random_state(self.device),
            "total_steps": self.total_steps,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` returned.

        Raises:
            InputError: the weights do not fit the model, or the state is another kind of training's.
        """
        if state["stateful"].keys() != self.stateful.keys():
            names = " and ".join(f"`{name}`" for name in state["stateful"]) or "nothing"
            message = f"beside model and optimizer, the checkpoint holds {names}: another kind of training left it"
            raise InputError(message, "the command that began the run goes on with it")
        update = self.update
        _copy_into(self.model, state["model"], state["tied"])
        self.learner.load_own_state(state["learner"])
        update.optimizer.load_state_dict(state["optimizer"])
        _lay_out_like_weights(update.optimizer)
        if update.schedule is not None:
            self._load_schedule(update.schedule, state)
        if update.scaler is not None:
            update.scaler.load_state_dict(state["scaler"])
        if update.ema is not None:
            update.ema.updates = state["ema"][0]
            _copy_into(update.ema.model, state["ema"][1], state["tied"])
        for name, part in self.stateful.items():
            part.load_state_dict(state["stateful"][name])
        restore_random_state(state["random"], self.device)

    def _load_schedule(self, schedule: Any, state: dict[str, Any]) -> None:
        """Take a schedule's state up; where training now has another end, it goes on as one of that length would."""
        saved: dict[str, Any] = state["schedule"]
        if state["total_steps"] == self.total_steps or hasattr(schedule, "num_bad_epochs"):
            schedule.load_state_dict(saved)
        else:
            schedule.last_epoch = saved["last_epoch"] - 1
            schedule.step()


def prepare(
    recipe: str | Path | Recipe, overrides: Overrides = (), *, quick: bool = False, catalog: Catalog | None = None
) -> Experiment:
    """Check a recipe that has `[train]`, and build all that it names.

    Args:
        recipe: a file, the name of a shipped recipe, or one that is open.
        overrides: `{"train.epochs": 2}` or `["train.epochs=2"]`.
        quick: apply the recipe's `[quick]`.

    Raises:
        InputError: the recipe is wrong, or its parts do not fit each other or the data.
    """
    catalog = catalog or Catalog()
    opened = open_recipe(recipe, overrides, quick, catalog)
    if not opened.table["train"].get("compile"):
        keep_dynamo_out()
    settings = Builder(opened, catalog).settings("train", Train)
    _set_deterministic(settings.deterministic)
    prepared = prepare_scoring(opened, catalog, settings, training=True)
    builder, scoring = prepared.builder, prepared.scoring
    train = builder.settings("train", Train)
    learner, model, device = scoring.learner, scoring.model, scoring.device
    precision = choose_precision(train.precision, device)
    if train.accumulate > 1 and any(getattr(part, "whole_batch", False) for part in (learner.task, learner.loss)):
        raise InputError(
            f"the loss compares a batch's samples with each other, so a step cannot be cut into {train.accumulate}",
            f"train.batch_size={train.batch_size * train.accumulate} train.accumulate=1 is one large batch",
        )
    initialize(model, train.initialize)
    batches = make_batches(
        split_of(prepared.data, "train"), train.batch_size, device, scoring.task.collate,
        seed=train.seed, training=True, workers=train.workers, fixed=train.fixed_batches,
    )  # fmt: skip
    per_epoch = -(-len(batches) // train.accumulate)
    steps = train.steps or (train.epochs or 0) * per_epoch
    frozen = freeze(model, train.freeze)
    monitor, mode = monitored(train, scoring, opened.table.get("expect", {}))
    optimizer = _optimizer(builder, learner, train)
    schedule = None
    if "schedule" in opened.table:
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
        builder, prepared.data, train, prepared.eval, learner, scoring, batches, update, steps, per_epoch, frozen,
        precision, monitor, mode,
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


def _without_functions(state: dict[str, Any]) -> dict[str, Any]:
    """Leave out a schedule's own functions: the recipe makes them anew."""
    return {key: value for key, value in state.items() if not callable(value) and not key.startswith("_get_lr")}


def _lay_out_like_weights(optimizer: torch.optim.Optimizer) -> None:
    """Put an optimizer's state into the memory order of the weights: fused kernels walk through both side by side."""
    for parameter, state in optimizer.state.items():
        for name, value in state.items():
            if isinstance(value, torch.Tensor) and value.shape == parameter.shape:
                state[name] = torch.empty_like(parameter, dtype=value.dtype, device=value.device).copy_(value)


def _copy_into(model: nn.Module, tensors: Tensors, tied: dict[str, str]) -> None:
    """Copy values into the tensors that optimizer and average hold on to."""
    own = model.state_dict()
    if any(name not in tensors and name not in tied for name in own):
        assign_weights(model, tensors, tied, where="the checkpoint")  # raises, and says what differs
    with torch.no_grad():
        for name, tensor in own.items():
            if name in tensors:
                tensor.copy_(tensors[name])
