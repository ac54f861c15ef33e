"""What a model promises, and what of a run goes on after an interruption."""

from __future__ import annotations

import json
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from zoo.registry.component import Component
from zoo.testing.building import experiment_with, make, trains_in_a_recipe
from zoo.testing.verdict import require

if TYPE_CHECKING:
    from torch import nn

    from zoo.jobs.experiment import Experiment


def trains(model: Component) -> None:
    """One step changes the weights."""
    import torch

    from zoo.training.loop import fit

    experiment = _whole(model)
    network = experiment.model
    trainable = {name: param for name, param in network.named_parameters() if param.requires_grad}
    before = {name: param.detach().clone() for name, param in trainable.items()}
    experiment.learner.train()
    step = next(fit(experiment.learner, experiment.batches, experiment.update, steps=1))
    require(bool(step.loss.isfinite()), f"the loss of the first batch is {float(step.loss)}")
    changed = any(not torch.equal(before[name], param) for name, param in trainable.items())
    require(changed, "a training step changes none of its weights")
    unreached = [name for name, param in trainable.items() if param.grad is None]
    if unreached:
        warnings.warn(f"model `{model.full_name}`: no gradient reaches {', '.join(unreached)}", stacklevel=1)


def saves_and_loads(model: Component) -> None:
    """Weights that were saved and loaded give the same outputs, bit for bit."""
    from zoo.jobs.evaluate import fingerprint

    experiment = _whole(model)
    loaded = experiment.scoring.of(reloaded(experiment.model, experiment.builder.component))
    same = fingerprint(experiment.scoring)[0] == fingerprint(loaded)[0]
    require(same, "its outputs differ after saving and loading: is something not in its state dict, or drawn?")


def resumes(component: Component) -> None:
    """Two steps, then weights and the task's state saved and loaded, then a third: its loss is that of three in a row.

    Held against models and tasks, in the recipe that has them.
    """
    from zoo.training.learner import Learner
    from zoo.training.loop import fit
    from zoo.training.randomness import random_state, restore_random_state

    experiment = _whole(component) if component.kind == "model" else experiment_with(component)
    learner = experiment.learner.train()
    steps = fit(learner, experiment.batches, experiment.update, steps=3)
    if sum(1 for _ in zip(range(2), steps, strict=False)) < 2:
        pytest.skip("its recipe has less than two batches")
    state, draws = through_a_checkpoint(dict(learner.task.state_dict())), random_state(experiment.device)
    network = reloaded(experiment.model, experiment.builder.component)
    straight = next(steps)

    task = experiment.builder.component("task")
    task.load_state_dict(state)
    restore_random_state(draws, experiment.device)
    epoch, done = divmod(2, len(experiment.batches))
    batch = next(experiment.batches.epoch(epoch, done))
    again = sum(Learner(network, task, learner.loss).train()(batch).values.values()).item()
    told = f"the third step's loss is {straight.loss.item()}, and {again} after saving and loading"
    require(again == straight.loss.item(), f"{told}: is something carried from step to step that no state dict has?")


def is_called(model: Component) -> None:
    """A part of a model (a backbone) is called with floats of its example's `input`, a shape, and can be saved."""
    import torch

    from zoo.training.randomness import seeded

    with seeded(0):
        network = make(model).eval()
    inputs = torch.rand(model.example["input"], generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        first, again = tensors_in(network(inputs)), tensors_in(reloaded(network, lambda _: make(model)).eval()(inputs))
    require(bool(first), "it returns no tensor")
    require(all(map(torch.equal, first, again)), "its outputs differ after saving and loading")


def reloaded(network: nn.Module, build: Callable[[str], Any]) -> nn.Module:
    """A model built anew, after other draws, and filled with a model's weights by way of a file."""
    from zoo.runs.folder import WEIGHTS, Folder
    from zoo.runs.predictor import load_model
    from zoo.runs.weights import encode, weights_of
    from zoo.training.randomness import seeded

    tensors, tied = weights_of(network)
    with seeded(1), tempfile.TemporaryDirectory() as temporary:
        folder = Folder(Path(temporary))
        folder.commit({WEIGHTS: encode(tensors, {"tied": tied})})
        return load_model(folder, lambda: build("model"))[0]


def through_a_checkpoint(state: Any) -> Any:
    """A state as a checkpoint gives it back: tensors copied, all else through JSON. What cannot be saved is told."""
    from zoo.runs.checkpoint import join_tensors, split_tensors

    try:
        plain, tensors = split_tensors(state)
    except TypeError as error:
        pytest.fail(str(error), pytrace=False)
    return join_tensors(json.loads(json.dumps(plain)), {name: tensor.clone() for name, tensor in tensors.items()})


def tensors_in(value: Any) -> list[Any]:
    """The tensors in nested dicts and sequences, in order."""
    import torch

    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [tensor for part in value for tensor in tensors_in(part)] if isinstance(value, list | tuple) else []


def _whole(model: Component) -> Experiment:
    """The experiment of a model that some recipe trains; another is taken for a part of models."""
    if not trains_in_a_recipe(model):
        pytest.skip('no shipped recipe trains it or its task; as a part of models: example = {"input": [2, 3, 64, 64]}')
    return experiment_with(model)
