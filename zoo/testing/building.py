"""Components to try, built as a shipped recipe has them: it knows best how a component is used."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import pytest

from zoo.component import Component
from zoo.errors import InputError

if TYPE_CHECKING:
    from zoo.jobs.experiment import Experiment
    from zoo.recipe import Recipe

# What stands in for a dataset's facts and assets, and for what PyTorch's schedules require, where no recipe does.
FACTS = {
    "num_classes": 10,
    "num_inputs": 4,
    "num_outputs": 1,
    "input_size": [64, 64],
    "vocab_size": 50,
    "classes": [f"class {number}" for number in range(10)],
    "step_size": 2,
    "milestones": [2, 4],
    "gamma": 0.5,
    "preprocess": {"size": [64, 64], "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]},
}

# A step that costs little, and whose outputs do not depend on the machine's precision.
SMALL = {
    "train.batch_size": 4,
    "train.device": "cpu",
    "train.precision": "fp32",
    "train.channels_last": False,
    "train.compile": False,
    "train.workers": 0,
}


@lru_cache(maxsize=4)
def build(component: Component) -> tuple[Any, list[str]]:
    """The component, and the global generators that were drawn from. Skips where a data set is not on this machine."""
    from zoo.build import Builder
    from zoo.catalog import Catalog
    from zoo.locate import RecipeError
    from zoo.predictor import load_network
    from zoo.recipe import from_table

    recipe = _recipe_with(component)
    builder = Builder(recipe or from_table({}, "conformance"), Catalog(), load_network)
    if recipe is None:
        builder.offer(FACTS, {})
    elif component.kind not in ("dataset", "optimizer", "schedule"):
        data, _ = build(Catalog().get("dataset", recipe.table["dataset"]["name"]))
        builder.offer(data.facts, data.assets)
    supplied = _supplied(component.kind)
    before = _random_states()
    try:
        with _offline():
            built = builder.component(component.kind, component.full_name, **supplied)
    except InputError as error:
        missing = component.kind == "dataset" and not isinstance(error, RecipeError)
        if not missing or not isinstance(error.__cause__, OSError | None):
            raise
        pytest.skip(str(error))
    after = _random_states()
    return built, [name for name, state in before.items() if after[name] != state]


@lru_cache(maxsize=1)
def experiment_with(component: Component) -> Experiment:
    """The recipe that trains a model, built; another recipe of its task, with the model put in, where none does."""
    from zoo.catalog import Catalog
    from zoo.jobs.experiment import prepare
    from zoo.randomness import seeded

    recipe = _recipe_with(component) or _recipe_with(component, instead=True)
    if recipe is None:
        pytest.fail("no shipped recipe trains it or its task: offer one through `zoo_recipes`", pytrace=False)
    build(Catalog().get("dataset", recipe.table["dataset"]["name"]))  # skips where there is no data
    with seeded(0):
        return prepare(recipe, Catalog())


def _recipe_with(component: Component, instead: bool = False) -> Recipe | None:
    """The first shipped recipe that names a component, or the first that can take it `instead` of what it names."""
    from zoo.catalog import Catalog
    from zoo.recipe import has_quick, load_recipe, shipped_recipes

    catalog = Catalog()
    shipped = shipped_recipes(catalog.plugins.recipe_folders())
    for file in shipped.values():
        load = partial(load_recipe, file, quick=has_quick(file, shipped), shipped=shipped)
        table = load().table
        if not {"task", "model", "dataset", "optimizer"} <= set(table) or "init" in table:
            continue
        if component.kind in table and table[component.kind]["name"] in (component.name, component.full_name):
            return load(SMALL)
        if instead and table["task"]["name"].rpartition("/")[2] in component.tasks:
            return load({**SMALL, component.kind: component.full_name})
    return None


def _supplied(kind: str) -> dict[str, Any]:
    """What a job would give."""
    if kind not in ("optimizer", "schedule"):
        return {}
    import torch

    groups = [{"params": [torch.nn.Parameter(torch.ones(3, 4)), torch.nn.Parameter(torch.ones(3))]}]
    if kind == "optimizer":
        return {"params": groups}
    optimizer = torch.optim.SGD(groups, lr=0.1)
    return {"optimizer": optimizer, "total_steps": 10, "steps_per_epoch": 5, "mode": "min"}


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
