"""Components to try, built as a shipped recipe has them: it knows best how a component is used."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pytest

from zoo.errors import InputError
from zoo.registry.component import Component
from zoo.testing.recipes import parameters_in_example, recipes_naming, recipes_taking, runs_named_in, specs_of

if TYPE_CHECKING:
    from zoo.data import Data
    from zoo.jobs.experiment import Experiment
    from zoo.recipes.recipe import Recipe

# What stands in for a dataset's facts and assets where neither a recipe nor the component's own example does.
FACTS = {
    "num_classes": 10,
    "num_inputs": 4,
    "num_outputs": 1,
    "channels": 3,
    "input_size": [64, 64],
    "vocab_size": 50,
    "max_length": 64,
    "classes": [f"class {number}" for number in range(10)],
    "preprocess": {"size": [64, 64], "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]},
}


@lru_cache(maxsize=4)
def build(component: Component) -> tuple[Any, list[str]]:
    """The component, and the global generators that were drawn from. Skips where a data set is not on this machine.

    A model that a recipe trains is taken from its experiment: building a large one takes seconds.
    """
    if component.kind == "model" and trains_in_a_recipe(component):
        return experiment_with(component).model, []
    construct = _constructor(component)
    for _ in range(2):  # what is imported on the way may draw, once
        before = _random_states()
        built = construct()
        after = _random_states()
        drawn = [name for name, state in before.items() if after[name] != state]
        if not drawn:
            break
    return built, drawn


def make(component: Component) -> Any:
    """The component, built anew: with its own example, else as the first recipe has it whose data is there."""
    return _constructor(component)()


def _constructor(component: Component) -> Callable[[], Any]:
    """Return what makes a component, once the recipe and the data that it is made with are there."""
    from zoo.recipes.build import Builder
    from zoo.recipes.locate import RecipeError
    from zoo.recipes.recipe import from_table
    from zoo.registry.catalog import Catalog

    recipe = None if component.example else _recipe_of(component)
    builder = Builder(recipe or from_table({}, "conformance"), Catalog())
    if recipe is None:
        builder.offer({**FACTS, **component.example}, {})
    elif component.kind not in ("dataset", "optimizer", "schedule"):
        data = _data_of(recipe)
        builder.offer(data.facts, data.assets)
    spec = {"name": component.full_name, **parameters_in_example(component)}

    def construct() -> Any:
        try:
            with _offline():
                return builder.component(component.kind, spec, **_supplied(component.kind))
        except InputError as error:
            missing = component.kind == "dataset" and not isinstance(error, RecipeError)
            if not missing or not isinstance(error.__cause__, OSError | None):
                raise
            pytest.skip(str(error))

    return construct


def trains_in_a_recipe(model: Component) -> bool:
    """Whether a model is a whole one: some recipe trains it or its task. One whose example has `input` is a part."""
    if "input" in model.example:
        return False
    return any(True for recipes in (recipes_naming, recipes_taking) for _ in recipes(model))


@lru_cache(maxsize=1)
def experiment_with(component: Component) -> Experiment:
    """A recipe that names a component, built; else one of a task that it serves, with it put in: the first that fits.

    Whether it fits is asked by an evaluation of one batch.
    """
    problem: BaseException | None = None
    for recipe in (*recipes_naming(component), *recipes_taking(component)):
        try:
            return _prepared(recipe, component)
        except pytest.skip.Exception as error:  # there is no data
            problem = problem or error
        except Exception as error:  # pictures of a size that it does not take, say
            problem = error if problem is None or isinstance(problem, pytest.skip.Exception) else problem
    raise problem or pytest.skip.Exception("no shipped recipe has it or its task: offer one through `zoo_recipes`")


def _prepared(recipe: Recipe, component: Component) -> Experiment:
    from zoo.jobs.evaluate import evaluate
    from zoo.jobs.experiment import prepare
    from zoo.training.randomness import seeded

    for run in runs_named_in(recipe):
        if not run.exists():
            pytest.skip(f"there is no run folder {run}")
    facts = _data_of(recipe).facts
    for spec in specs_of(recipe.table, component.kind):  # the data's own facts count, not those of an example
        for key in component.example.keys() & facts.keys() & set(spec):
            del spec[key]
    with seeded(0), _offline():
        experiment = prepare(recipe)
        evaluate(experiment.scoring, limit=1)
    return experiment


def _recipe_of(component: Component) -> Recipe | None:
    """The first recipe that a component is tried in and whose data set is on this machine; else the last."""
    recipe = None
    scores = component.kind in ("loss", "metric") and component.tasks
    for recipe in (*recipes_naming(component), *(recipes_taking(component) if scores else ())):
        try:
            if component.kind != "dataset":
                _data_of(recipe)
        except pytest.skip.Exception:
            continue
        break
    return recipe


def _data_of(recipe: Recipe) -> Data:
    """A recipe's data set; skips where it is not on this machine."""
    from zoo.registry.catalog import Catalog

    catalog = Catalog()
    home = catalog.plugin_shipping(recipe.written_in(("dataset", "name")))
    data, _ = build(catalog.get("dataset", recipe.table["dataset"]["name"], home))
    return data  # type: ignore[no-any-return]


def _supplied(kind: str) -> dict[str, Any]:
    """Return what a job would give."""
    if kind not in ("optimizer", "schedule"):
        return {}
    import torch

    groups = [{"params": [torch.nn.Parameter(torch.ones(3, 4)), torch.nn.Parameter(torch.ones(3))]}]
    if kind == "optimizer":
        return {"params": groups}
    optimizer = torch.optim.SGD(groups, lr=0.1)
    return {"optimizer": optimizer, "total_steps": 10, "steps_per_epoch": 2, "mode": "min"}


def _random_states() -> dict[str, Any]:
    import random

    import numpy
    import torch

    state = numpy.random.get_state(legacy=False)["state"]
    return {
        "`torch`": torch.get_rng_state().tolist(),
        "`random`": random.getstate(),
        "`numpy.random`": (state["key"].tolist(), state["pos"]),
    }


@contextmanager
def _offline() -> Iterator[None]:
    """No connection inside: a test downloads nothing."""

    def refuse(*_: Any) -> None:
        raise OSError("the conformance kit does not download")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        yield
