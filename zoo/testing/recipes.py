"""The shipped recipes that a component is tried in, made small."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.registry.component import Component

if TYPE_CHECKING:
    from zoo.recipes.recipe import Recipe
    from zoo.recipes.shipped import Shipped

# A step that costs little, and whose outputs do not depend on the machine's precision.
SMALL = {
    "train.batch_size": 2,
    "train.device": "cpu",
    "train.precision": "fp32",
    "train.channels_last": False,
    "train.compile": False,
    "train.workers": 0,
    "eval.batch_size": 4,
}


def recipes_naming(component: Component) -> Iterator[Recipe]:
    """The recipes that have a component. Those that start from weights come last, and start without."""
    from zoo.registry.catalog import Catalog

    catalog, shipped = Catalog(), _shipped()

    def names_it(spec: Any, home: str) -> bool:
        written = spec if isinstance(spec, str) else spec["name"]
        known = written in (component.name, component.full_name)
        return known and catalog.get(component.kind, written, home) == component

    for name, table in _tables():
        home = catalog.plugin_shipping(shipped[name])
        if any(names_it(spec, home) for spec in specs_of(table, component.kind)):
            yield _small(name)


def recipes_taking(component: Component) -> Iterator[Recipe]:
    """A recipe for each data set of the tasks that a component serves, with the component in place of its own.

    A loss or metric that serves all tasks is tried in one recipe of each. Recipes of models of the same module come
    first, then those of the plugin's own tasks: their data suits best. What needs a run folder is tried in recipes that
    name one.
    """
    from zoo.recipes.schema import parameters_of
    from zoo.registry.catalog import Catalog

    if any(parameter.nested == "run" and parameter.required for parameter in parameters_of(component.load()).values()):
        return
    module = component.reference.partition(":")[0]
    parts = Catalog().components
    models = {part.name for part in parts if part.kind == "model" and part.reference.partition(":")[0] == module}
    tasks = {part.name for part in parts if part.kind == "task" and part.plugin == component.plugin}

    def distance(table: dict[str, Any]) -> tuple[bool, bool]:
        return _name(table, "model") not in models, _name(table, "task") not in tasks

    serves_all = not component.tasks and component.kind in ("loss", "metric")
    seen = set()
    for name, table in sorted(_tables(), key=lambda pair: distance(pair[1])):
        task = _name(table, "task")
        place = task if serves_all else json.dumps(table["dataset"])
        if place not in seen and (serves_all or task in component.tasks):
            seen.add(place)
            yield _small(name, component)


def runs_named_in(recipe: Recipe) -> Iterator[Path]:
    """The run folders (teachers) that a recipe's components are to be given."""
    from zoo.recipes.schema import parameters_of
    from zoo.registry.catalog import Catalog
    from zoo.registry.component import KINDS

    for kind in KINDS:
        for spec in specs_of(recipe.table, kind):
            if isinstance(spec, dict):
                home = Catalog().plugin_shipping(recipe.written_in((kind, "name")))
                parameters = parameters_of(Catalog().get(kind, spec["name"], home).load())
                yield from (Path(spec[key]) for key in parameters if key in spec and parameters[key].nested == "run")


def specs_of(table: Mapping[str, Any], kind: str) -> list[Any]:
    """Return what a recipe's table says of components of a kind: names or tables."""
    if kind == "metric":
        return list(table.get("eval", {}).get("metrics", []))
    return [table[kind]] if kind in table else []


def parameters_in_example(component: Component) -> dict[str, Any]:
    """Return what of a component's example a recipe would write into its table."""
    from zoo.recipes.schema import parameters_of

    known = parameters_of(component.load())
    return {key: value for key, value in component.example.items() if key in known and known[key].type is not None}


def _small(name: str, component: Component | None = None) -> Recipe:
    """A recipe in its quick and small form, with a component put in where there is one."""
    from zoo.recipes.recipe import has_quick, load_recipe
    from zoo.recipes.settings import Eval

    shipped = _shipped()
    overrides: dict[str, Any] = dict(SMALL)
    if component is not None:
        parameters = parameters_in_example(component)
        if component.kind == "metric":
            overrides["eval.metrics"] = [{"name": component.full_name, **parameters}]
        else:
            overrides[component.kind] = component.full_name  # replaces the recipe's own
            overrides |= {f"{component.kind}.{key}": value for key, value in parameters.items()}
    recipe = load_recipe(shipped[name], overrides, quick=has_quick(shipped[name], shipped), shipped=shipped)
    for table in ("init", "expect"):
        recipe.table.pop(table, None)
    if component is not None and component.kind == "metric":  # which need not be the one that is monitored
        recipe.table["train"]["monitor"] = f"{recipe.table.get('eval', {}).get('split', Eval.split)}/loss"
    return recipe


def _name(table: dict[str, Any], kind: str) -> str:
    """The short name of a recipe's component."""
    return str(table[kind]["name"]).rpartition("/")[2]


def _shipped() -> Shipped:
    from zoo.recipes.shipped import shipped_recipes
    from zoo.registry.catalog import Catalog

    return shipped_recipes(Catalog().plugins.recipe_folders())


def _tables() -> list[tuple[str, dict[str, Any]]]:
    """The whole recipes by name, those that start from weights last."""
    return _loaded(tuple(_shipped().items()))


@lru_cache(maxsize=1)
def _loaded(files: tuple[tuple[str, Path], ...]) -> list[tuple[str, dict[str, Any]]]:
    from zoo.recipes.recipe import load_recipe

    shipped = _shipped()
    tables = [(name, load_recipe(file, shipped=shipped).table) for name, file in files]
    whole = [(name, table) for name, table in tables if {"task", "model", "dataset", "optimizer"} <= set(table)]
    return sorted(whole, key=lambda pair: "init" in pair[1])
