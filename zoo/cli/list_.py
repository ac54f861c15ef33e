"""`zoo list [KIND]`: the components of all plugins, and the recipes that they ship."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zoo.cli.output import print_json, print_table, say
from zoo.registry.component import KINDS

if TYPE_CHECKING:
    from zoo.registry.catalog import Catalog

LISTED = (*KINDS, "recipe")


def _kinds() -> list[str]:
    return list(LISTED)


def list_components(
    kind: Annotated[
        str | None, typer.Argument(help=f"One of {', '.join(LISTED)}.", autocompletion=_kinds, show_default=False)
    ] = None,
    search: Annotated[str | None, typer.Option(help="Only those with this text in their name or summary.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List components (models, datasets, losses, optimizers, schedules, metrics, tasks) and recipes."""
    from zoo.errors import InputError, nearest
    from zoo.registry.catalog import Catalog
    from zoo.registry.plugins import BLOCKED

    if kind is not None and kind not in LISTED:
        meant = nearest(kind, LISTED)
        help = f"did you mean `{meant}`?" if meant else f"there are {', '.join(LISTED)}"
        raise InputError(f"`{kind}` is no kind of component", help)
    catalog = Catalog()
    rows = [row for row in _rows(catalog, kind) if _has(row, search)]
    if as_json:
        print_json(rows)
    else:
        print_table(
            ("kind", "name", "plugin", "tasks", "summary"),
            [(row["kind"], row["name"], row["plugin"], ", ".join(row["tasks"]), row["summary"]) for row in rows],
        )
    for plugin in catalog.plugins.plugins:
        if plugin.error and plugin.error != BLOCKED:
            say(f"warning: plugin `{plugin.name}` is left out: {plugin.error} (zoo plugins)")


def _rows(catalog: Catalog, kind: str | None) -> Iterator[dict[str, Any]]:
    for component in sorted(catalog.of_kind(kind), key=lambda component: (KINDS.index(component.kind), component.name)):
        yield {
            "kind": component.kind,
            "name": component.name,
            "plugin": component.plugin,
            "tasks": list(component.tasks),
            "summary": component.summary,
            "reference": component.reference,
        }
    if kind in (None, "recipe"):
        yield from _recipe_rows(catalog)


def _recipe_rows(catalog: Catalog) -> Iterator[dict[str, Any]]:
    from zoo.recipes.shipped import CORE, shipped_recipes

    shipped = shipped_recipes(catalog.recipe_folders)
    for name, file in sorted(shipped.items()):
        try:
            table = _head(file, shipped)
        except (OSError, ValueError) as error:
            table = {"summary": f"cannot be read: {error}"}
        task = table.get("task")
        if isinstance(task, dict):
            task = task.get("name")
        yield {
            "kind": "recipe",
            "name": name,
            "plugin": shipped.plugin_of(file) or CORE,
            "tasks": [str(task)] if task else [],
            "summary": str(table.get("summary", "")),
            "reference": str(file),
        }


def _head(file: Path, shipped: Mapping[str, Path]) -> dict[str, Any]:
    """Summary and task of a recipe, its own or inherited. To merge all of it would take longer than the whole list.

    Raises:
        OSError, ValueError: the file or one that it extends is not there or no TOML.
    """
    import tomli

    head: dict[str, Any] = {}
    lineage: list[Path] = []
    while file not in lineage:
        lineage.append(file)
        table = tomli.loads(file.read_text(encoding="utf-8"))
        head = {**{key: table[key] for key in ("summary", "task") if key in table}, **head}
        if not isinstance(table.get("extends"), str):
            break
        file = shipped.get(table["extends"], file.parent / table["extends"])
    return head


def _has(row: dict[str, Any], text: str | None) -> bool:
    return text is None or any(text.lower() in row[name].lower() for name in ("name", "summary"))
