"""What a component promises. Each function holds one contract against one component: it passes, fails or skips."""

from __future__ import annotations

import inspect
import json
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from zoo.component import Component
from zoo.testing.building import build, experiment_with


def is_documented(component: Component) -> None:
    """`zoo show` prints the docstring, `zoo list` the summary."""
    lines = (component.load().__doc__ or "").strip().splitlines()
    _require(bool(lines), "it has no docstring")
    _require(bool(component.summary), "it has no summary")


def has_a_signature(component: Component) -> None:
    """The signature is the recipe's schema: a plugin's own parameters are annotated, and none hides in `**kwargs`.

    A library's callable is taken as it is: its parameter needs an annotation or a default, and `**kwargs`, which no
    recipe can reach, is a warning.
    """
    from zoo.check import SUPPLIED

    function = component.load()
    home = _home(function)
    if home == "torch.nn.modules.module":  # nn.Module's own: it takes nothing, whatever it says
        return
    own = home.partition(".")[0] == _package(component)
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            hidden = f"`{parameter}` is out of every recipe's reach"
            _require(not own, f"{hidden}: name the parameters")
            warnings.warn(f"{component.kind} `{component.full_name}`: {hidden}", stacklevel=1)
        elif parameter.annotation is parameter.empty and parameter.name not in SUPPLIED.get(component.kind, ()):
            has_type = not own and parameter.default is not parameter.empty
            _require(has_type, f"parameter `{parameter.name}` has no annotation")


def is_built(component: Component) -> None:
    """It is built, as a shipped recipe has it or else from its defaults and the usual facts, and is of its kind."""
    built, _ = build(component)
    PROTOCOLS[component.kind](built)


def draws_nothing(component: Component) -> None:
    """Building leaves the global generators alone: data, losses and metrics do not hang on what was drawn before."""
    _, drawn = build(component)
    _require(not drawn, f"building it changes the state of {' and '.join(drawn)}: use a generator of its own")


def trains(component: Component) -> None:
    """One step changes the weights."""
    import torch

    from zoo.fit import fit

    experiment = experiment_with(component)
    model, scoring = experiment.model, experiment.scoring
    trainable = {name: found for name, found in model.named_parameters() if found.requires_grad}
    before = {name: parameter.detach().clone() for name, parameter in trainable.items()}
    model.train()
    step = next(fit(model, scoring.task, scoring.loss, experiment.batches, experiment.update, steps=1))
    _require(bool(step.loss.isfinite()), f"the loss of the first batch is {float(step.loss)}")
    changed = any(not torch.equal(before[name], parameter) for name, parameter in trainable.items())
    _require(changed, "a training step changes none of its weights")
    unreached = [name for name, parameter in trainable.items() if parameter.grad is None]
    if unreached:
        warnings.warn(f"model `{component.full_name}`: no gradient reaches {', '.join(unreached)}", stacklevel=1)


def saves_and_loads(component: Component) -> None:
    """Weights that were saved and loaded give the same outputs, bit for bit."""
    from zoo.jobs.evaluate import fingerprint
    from zoo.predictor import load_model
    from zoo.run_folder import WEIGHTS, Folder
    from zoo.weights import encode, weights_of

    experiment = experiment_with(component)
    scoring = experiment.scoring
    tensors, tied = weights_of(scoring.model)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Folder(Path(temporary))
        folder.commit({WEIGHTS: encode(tensors, {"tied": tied})})
        model = load_model(folder, lambda: experiment.builder.component("model"))
        same = fingerprint(scoring)[0] == fingerprint(replace(scoring, model=model))[0]
    _require(same, "its outputs differ after saving and loading: is something not in its state dict, or drawn?")


def updates_weights(component: Component) -> None:
    """One step of an optimizer changes what it optimizes, and its state fits into a checkpoint: no pickle."""
    import torch

    from zoo.state_tree import split_tensors

    optimizer, _ = build(component)
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    before = [parameter.detach().clone() for parameter in parameters]
    for parameter in parameters:
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    _require(not all(map(torch.equal, before, parameters)), "a step changes no weight")
    json.dumps(split_tensors(optimizer.state_dict())[0])


def contracts_of(kind: str) -> tuple[Callable[[Component], None], ...]:
    """The contracts of a kind. A model may draw from the global generators: the job seeds its first values."""
    own = {"model": (trains, saves_and_loads), "optimizer": (draws_nothing, updates_weights)}
    return (is_documented, has_a_signature, is_built, *own.get(kind, (draws_nothing,)))


def _require(holds: bool, message: str) -> None:
    if not holds:
        pytest.fail(message, pytrace=False)


# What each kind must be


def _require_dataset(data: Any) -> None:
    from zoo.data import Data

    _require(isinstance(data, Data), f"it returns {type(data).__name__}, not zoo.Data")
    json.dumps(data.assets)
    for name, split in data.splits.items():
        _require(len(split) > 0, f"its split `{name}` is empty")
        _require(isinstance(split[0], dict), f"samples of `{name}` are no dicts")


def _require_task(task: Any) -> None:
    from zoo.catalog import Catalog
    from zoo.tasks import Task

    _require(isinstance(task, Task), "it is no zoo.Task")
    usual = [("loss", task.loss)] if task.loss is not None else []
    for kind, spec in [*usual, *(("metric", metric) for metric in task.metrics)]:
        Catalog().get(kind, spec if isinstance(spec, str) else spec["name"])


def _require_module(model: Any) -> None:
    from torch import nn

    _require(isinstance(model, nn.Module), "it is no torch.nn.Module")


def _require_methods(*names: str) -> Callable[[Any], None]:
    def require(built: Any) -> None:
        for name in names:
            _require(callable(getattr(built, name, None)), f"it has no `{name}`")

    return require


PROTOCOLS: dict[str, Callable[[Any], None]] = {
    "model": _require_module,
    "dataset": _require_dataset,
    "loss": _require_methods("__call__"),
    "metric": _require_methods("update", "compute", "reset"),
    "optimizer": _require_methods("step", "zero_grad", "state_dict", "load_state_dict"),
    "schedule": _require_methods("step", "state_dict", "load_state_dict"),
    "task": _require_task,
}


def _home(function: Callable[..., Any]) -> str:
    """The module that a callable's signature was written in."""
    written = function.__init__ if inspect.isclass(function) else inspect.unwrap(function)
    return getattr(written, "__module__", "") or ""


def _package(component: Component) -> str:
    from zoo.plugins import installed

    module = next(plugin.module for plugin in installed().plugins if plugin.name == component.plugin)
    return module.partition(":")[0].partition(".")[0]
