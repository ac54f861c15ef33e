"""`zoo show NAME`: one component, or one recipe."""

from __future__ import annotations

import inspect
from typing import Annotated, Any

import typer

from zoo.cli.output import print_json, print_table


def _names() -> list[str]:
    from zoo.catalog import Catalog

    return sorted({component.name for component in Catalog().of_kind()})


def show(
    name: Annotated[str, typer.Argument(help="A name, or KIND/NAME, or PLUGIN/NAME.", autocompletion=_names)],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show a component: what it is, where it lives, and the parameters a recipe may set."""
    from zoo.catalog import Catalog, UnknownComponent
    from zoo.shipped import shipped_recipes

    catalog = Catalog()
    try:
        found = catalog.find(name)
    except UnknownComponent:
        recipe = shipped_recipes(catalog.recipe_folders).get(name)
        if recipe is None:
            raise
        print(recipe.read_text(), end="")
        return
    described = [_described(component) for component in found]
    if as_json:
        print_json(described)
        return
    for component in described:
        print(f"{component['kind']} {component['plugin']}/{component['name']}  ({component['reference']})")
        print(f"{component['doc'] or component['summary']}\n")
        rows = [(row["name"], row["type"], row["default"]) for row in component["parameters"]]
        if rows:
            print_table(("parameter", "type", "default"), rows)
        print()


def _described(component: Any) -> dict[str, Any]:
    from zoo.check import SUPPLIED
    from zoo.errors import InputError, PluginFailed
    from zoo.schema import MADE, parameters_of

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
