"""`zoo show NAME`: components, or a recipe, or both where they share a name."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zoo.cli.output import print_json, print_table, print_text, say
from zoo.errors import InputError, nearest, plain

if TYPE_CHECKING:
    from zoo.registry.catalog import Catalog

RECIPE = "recipe/"
SHOWN = 100  # characters of a fact or an asset


def _names() -> list[str]:
    from zoo.registry.catalog import Catalog

    catalog = Catalog()
    return sorted({component.name for component in catalog.of_kind()} | {*_recipes(catalog)})


def show(
    name: Annotated[str, typer.Argument(help="A name, or KIND/NAME, PLUGIN/NAME, recipe/NAME.", autocompletion=_names)],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show a component (what it is, where it lives, the parameters a recipe may set; of a data set, what is in it) or a
    shipped recipe."""
    from zoo.registry.catalog import Catalog

    components, recipe = _find(Catalog(), name)
    described = [{**_described(component), **_contents(component)} for component in components]
    if as_json:
        if recipe is not None:
            text = recipe.read_text()
            described.append({"kind": "recipe", "name": recipe.stem, "reference": str(recipe), "text": text})
        print_json(described)
        return
    for component in described:
        print_text(plain(f"{component['kind']} {component['plugin']}/{component['name']}  ({component['reference']})"))
        print_text(f"{component['doc'] or component['summary']}\n")
        rows = [(row["name"], row["type"], row["default"]) for row in component["parameters"]]
        if rows:
            print_table(("parameter", "type", "default"), rows)
        for key in ("splits", "facts", "assets"):
            for name, value in component.get(key, {}).items():
                print_text(f"{key[:-1]} {name}: {plain(_short(value))}")
        print_text("")
    if recipe is not None:
        if components:
            print_text(f"# recipe {recipe.stem}")
        print_text(recipe.read_text().rstrip("\n"))


def _find(catalog: Catalog, name: str) -> tuple[list[Any], Path | None]:
    """The components of that name, and the recipe.

    Raises:
        InputError: there is neither.
    """
    from zoo.registry.catalog import UnknownComponent

    recipes = _recipes(catalog)
    recipe = recipes.get(name.removeprefix(RECIPE))
    if name.startswith(RECIPE):
        if recipe is None:
            near = nearest(name.removeprefix(RECIPE), recipes)
            raise InputError(f"unknown {name}", f"did you mean `{RECIPE}{near}`?" if near else "zoo list recipe")
        return [], recipe
    try:
        return catalog.find(name), recipe
    except UnknownComponent as error:
        if recipe is not None:
            return [], recipe
        names = [component.name for component in catalog.of_kind()]
        near = error.suggestion if "/" in name else nearest(name, [*names, *recipes])
        raise InputError(error.message, f"did you mean `{near}`?" if near else error.help) from error


def _recipes(catalog: Catalog) -> Mapping[str, Path]:
    from zoo.recipes.shipped import shipped_recipes

    return shipped_recipes(catalog.recipe_folders)


def _contents(component: Any) -> dict[str, Any]:
    """Return how many samples a data set's splits have, its facts and its assets, as it is with its defaults.

    Nothing where the component is none, or where something that it needs is not at hand.
    """
    if component.kind != "dataset":
        return {}
    from zoo.recipes.build import Builder
    from zoo.recipes.recipe import from_table
    from zoo.registry.catalog import Catalog

    before = os.environ.get("ZOO_OFFLINE", "")
    os.environ["ZOO_OFFLINE"] = "1"  # to show a data set is not to fetch it
    try:
        data = Builder(from_table({}, "show"), Catalog()).part("dataset", component.full_name)
    except InputError as error:
        say(f"what is in dataset `{component.name}` is not known here: {error.message}")
        return {}
    finally:
        os.environ["ZOO_OFFLINE"] = before
    splits = {name: len(split) for name, split in data.splits.items()}
    contents = {"splits": splits, "facts": data.facts, "assets": data.assets}
    return json.loads(json.dumps(contents, default=lambda other: f"a {type(other).__name__}"))  # type: ignore[no-any-return]


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]} ..."


def _described(component: Any) -> dict[str, Any]:
    from zoo.errors import InputError, PluginFailed
    from zoo.recipes.check import SUPPLIED
    from zoo.recipes.schema import MADE, parameters_of

    try:
        function = component.load()
    except PluginFailed as error:  # nothing of it was to run: what was asked for is not there
        raise InputError(error.message, error.help) from error
    rows = [
        {
            "name": name,
            "type": parameter.type_name,
            "default": "required, or from the data"
            if parameter.required
            else "made" if parameter.default is MADE else repr(parameter.default),
        }
        for name, parameter in parameters_of(function, SUPPLIED.get(component.kind, ())).items()
    ]  # fmt: skip
    return {
        "kind": component.kind,
        "name": component.name,
        "plugin": component.plugin,
        "tasks": list(component.tasks),
        "summary": component.summary,
        "reference": component.reference,
        "doc": inspect.getdoc(function) or "",
        "parameters": rows,
    }
