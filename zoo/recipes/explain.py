"""Where each value of a recipe came from: a place in a file, the command line, or a default."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from zoo.recipes.check import COMPONENTS, SUPPLIED
from zoo.recipes.locate import position
from zoo.recipes.recipe import Recipe
from zoo.recipes.schema import MADE, Parameter, parameters_of
from zoo.recipes.settings import tables_of
from zoo.recipes.source import COMMAND_LINE, Keys
from zoo.registry.catalog import Catalog


def explained(recipe: Recipe, catalog: Catalog) -> Iterator[tuple[str, str, str]]:
    """Key, value and origin of every value of a valid recipe, defaults included."""
    for key, value in recipe.table.items():
        if not isinstance(value, dict):
            yield key, _shown(value), _place(recipe, (key,))
    for kind in COMPONENTS:
        if isinstance(recipe.table.get(kind), dict):
            home = catalog.plugin_shipping(recipe.written_in((kind, "name")))
            component = catalog.get(kind, recipe.table[kind]["name"], home)
            parameters = parameters_of(component.load(), SUPPLIED.get(kind, ()))
            yield from _table(recipe, kind, parameters, "from the data, or left to it")
    for table, settings in tables_of(catalog.plugins).items():
        if table in recipe.table:
            yield from _table(recipe, table, parameters_of(settings), "required")
    for figure, bounds in recipe.table.get("expect", {}).items():
        yield f'expect."{figure}"', _shown(bounds), _place(recipe, ("expect", figure))


def _table(
    recipe: Recipe, table: str, parameters: Mapping[str, Parameter], left_out: str
) -> Iterator[tuple[str, str, str]]:
    given = recipe.table[table]
    for key, value in given.items():
        yield f"{table}.{key}", _shown(value), _place(recipe, (table, key))
    for key, parameter in parameters.items():
        if key not in given:
            default = "" if parameter.required or parameter.default is MADE else _shown(parameter.default)
            yield f"{table}.{key}", default, left_out if parameter.required else "default"


def _place(recipe: Recipe, keys: Keys) -> str:
    origin = recipe.origin(keys)
    if origin is None:
        return "default"
    if origin.source.name == COMMAND_LINE:
        return f"{COMMAND_LINE}: {origin.source.text}"
    line, _, _ = position(origin.source, origin.keys, "value")
    return f"{origin.source.name}:{line}"


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
