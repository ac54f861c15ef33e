"""What a component promises. Each function holds one contract against one component: it passes, fails or skips."""

from __future__ import annotations

import inspect
import json
import warnings
from collections.abc import Callable
from typing import Any

from zoo.registry.component import Component
from zoo.testing import data_contracts, model_contracts, optimizer_contracts, score_contracts, task_contracts
from zoo.testing.building import build
from zoo.testing.verdict import require


def is_documented(component: Component) -> None:
    """`zoo show` prints the docstring, `zoo list` the summary."""
    lines = (component.load().__doc__ or "").strip().splitlines()
    require(bool(lines), "it has no docstring")
    require(bool(component.summary), "it has no summary")


def has_a_signature(component: Component) -> None:
    """The signature is the recipe's schema: a plugin's own parameters are annotated, and none hides in `**kwargs`.

    A library's callable is taken as it is: its parameter needs an annotation or a default, and `**kwargs`, which no
    recipe can reach, is a warning.
    """
    from zoo.recipes.check import SUPPLIED

    function = component.load()
    home = _home(function)
    if home == "torch.nn.modules.module":  # nn.Module's own: it takes nothing, whatever it says
        return
    own = home.partition(".")[0] == _package(component)
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            hidden = f"`{parameter}` is out of every recipe's reach"
            require(not own, f"{hidden}: name the parameters")
            warnings.warn(f"{component.kind} `{component.full_name}`: {hidden}", stacklevel=1)
        elif parameter.annotation is parameter.empty and parameter.name not in SUPPLIED.get(component.kind, ()):
            has_type = not own and parameter.default is not parameter.empty
            require(has_type, f"parameter `{parameter.name}` has no annotation")


def is_built(component: Component) -> None:
    """It is built, with its own example, as a shipped recipe has it or from its defaults, and is of its kind."""
    built, _ = build(component)
    PROTOCOLS[component.kind](built)


def draws_nothing(component: Component) -> None:
    """Building leaves the global generators alone: data, losses and metrics do not hang on what was drawn before."""
    _, drawn = build(component)
    require(not drawn, f"building it changes the state of {' and '.join(drawn)}: use a generator of its own")


def contracts_of(component: Component) -> tuple[Callable[[Component], None], ...]:
    """The contracts of a component. A model may draw from the global generators: the job seeds its first values."""
    kind = component.kind
    if kind == "model" and "input" in component.example:
        return (is_documented, has_a_signature, is_built, model_contracts.is_called)
    own = OWN[kind]
    return (is_documented, has_a_signature, is_built, *(() if kind == "model" else (draws_nothing,)), *own)


OWN: dict[str, tuple[Callable[[Component], None], ...]] = {
    "model": (model_contracts.trains, model_contracts.saves_and_loads, model_contracts.resumes),
    "dataset": (data_contracts.repeats, data_contracts.follows_generators),
    "loss": (score_contracts.is_a_mean,),
    "metric": (score_contracts.resets, score_contracts.adds_up),
    "optimizer": (optimizer_contracts.updates_weights, optimizer_contracts.optimizer_resumes),
    "schedule": (optimizer_contracts.schedule_resumes,),
    "task": (
        task_contracts.scores_a_batch,
        task_contracts.takes_one_sample,
        task_contracts.shows_predictions,
        model_contracts.resumes,
    ),
}


# What each kind must be


def _require_dataset(data: Any) -> None:
    from zoo.data import Data

    require(isinstance(data, Data), f"it returns {type(data).__name__}, not zoo.Data")
    json.dumps(data.assets)
    for name, split in data.splits.items():
        require(len(split) > 0, f"its split `{name}` is empty")
        require(isinstance(split[0], dict), f"samples of `{name}` are no dicts")
        for attribute in ("strata", "groups", "names"):
            values = getattr(split, attribute, None)
            one_each = values is None or len(values) == len(split)
            require(one_each, f"`{attribute}` of its split `{name}` is not one value a sample")


def _require_task(task: Any) -> None:
    from zoo.registry.catalog import Catalog
    from zoo.tasks import Task

    require(isinstance(task, Task), "it is no zoo.Task")
    usual = [("loss", task.loss)] if task.loss is not None else []
    for kind, spec in [*usual, *(("metric", metric) for metric in task.metrics)]:
        Catalog().get(kind, spec if isinstance(spec, str) else spec["name"])


def _require_module(model: Any) -> None:
    from torch import nn

    require(isinstance(model, nn.Module), "it is no torch.nn.Module")


def _require_methods(*names: str) -> Callable[[Any], None]:
    def require_each(built: Any) -> None:
        for name in names:
            require(callable(getattr(built, name, None)), f"it has no `{name}`")

    return require_each


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
    from zoo.registry.plugins import installed

    module = next(plugin.module for plugin in installed().plugins if plugin.name == component.plugin)
    return module.partition(":")[0].partition(".")[0]
