"""Components to try, built as a shipped recipe has them: it knows best how a component is used."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
    "num_mask_classes": 10,
    "mask_classes": [f"class {number}" for number in range(10)],
    "num_inputs": 4,
    "channels": 3,
    "folder": "example",
    "num_outputs": 1,
    "input_size": [64, 64],
    "vocab_size": 50,
    "source_vocab_size": 50,
    "target_vocab_size": 50,
    "pad_index": 0,
    "max_length": 64,
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

    recipes = list(_recipes_with(component))
    recipe = next((each for each in recipes[:-1] if component.kind == "dataset" or _has_data(each)), None)
    recipe = recipe or (recipes[-1] if recipes else None)
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
    """A recipe that trains a model, built; else a recipe of its task with the model put in: the first that fits."""
    recipes = [*_recipes_with(component), *_recipes_with(component, instead=True)]
    if not recipes:
        pytest.fail("no shipped recipe trains it or its task: offer one through `zoo_recipes`", pytrace=False)
    for recipe in recipes[:-1]:
        with suppress(Exception, pytest.skip.Exception):  # no data, or pictures of a size that it does not take
            return _prepared(recipe)
    return _prepared(recipes[-1])


def _has_data(recipe: Recipe) -> bool:
    from zoo.catalog import Catalog

    try:
        build(Catalog().get("dataset", recipe.table["dataset"]["name"]))
    except pytest.skip.Exception:
        return False
    return True


def _prepared(recipe: Recipe) -> Experiment:
    from zoo.catalog import Catalog
    from zoo.jobs.evaluate import fingerprint
    from zoo.jobs.experiment import prepare
    from zoo.randomness import seeded

    build(Catalog().get("dataset", recipe.table["dataset"]["name"]))  # skips where there is no data
    with seeded(0):
        experiment = prepare(recipe, Catalog())
    fingerprint(experiment.scoring)
    return experiment


def _recipes_with(component: Component, instead: bool = False) -> Iterator[Recipe]:
    """The shipped recipes that name a component, or those that can take it `instead` of what they name.

    Those that start from weights come last, and start without: nothing is fetched here.
    """
    from zoo.catalog import Catalog
    from zoo.recipe import has_quick, load_recipe
    from zoo.shipped import shipped_recipes

    catalog = Catalog()
    shipped = shipped_recipes(catalog.plugins.recipe_folders())
    loads = [partial(load_recipe, file, quick=has_quick(file, shipped), shipped=shipped) for file in shipped.values()]
    tables = [(load().table, load) for load in loads]
    for table, load in sorted(tables, key=lambda found: "init" in found[0]):
        if not {"task", "model", "dataset", "optimizer"} <= set(table):
            continue
        if component.kind in table and table[component.kind]["name"] in (component.name, component.full_name):
            yield _from_nothing(load(SMALL))
        if instead and table["task"]["name"].rpartition("/")[2] in component.tasks:
            yield _from_nothing(load({**SMALL, component.kind: component.full_name}))


def _from_nothing(recipe: Recipe) -> Recipe:
    recipe.table.pop("init", None)
    return recipe


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
