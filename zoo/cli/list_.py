"""`zoo list [KIND]`: the components of all plugins."""

from __future__ import annotations

from typing import Annotated

import typer

from zoo.cli.output import print_json, print_table, say
from zoo.component import KINDS


def _kinds() -> list[str]:
    return list(KINDS)


def list_components(
    kind: Annotated[
        str | None, typer.Argument(help=f"One of {', '.join(KINDS)}.", autocompletion=_kinds, show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List components: models, datasets, losses, optimizers, schedules, metrics, tasks."""
    from zoo.catalog import Catalog
    from zoo.errors import InputError, nearest
    from zoo.plugins import BLOCKED

    if kind is not None and kind not in KINDS:
        meant = nearest(kind, KINDS)
        help = f"did you mean `{meant}`?" if meant else f"there are {', '.join(KINDS)}"
        raise InputError(f"`{kind}` is no kind of component", help)
    catalog = Catalog()
    found = sorted(catalog.of_kind(kind), key=lambda component: (KINDS.index(component.kind), component.name))
    if as_json:
        print_json(
            [
                {
                    "kind": component.kind,
                    "name": component.name,
                    "plugin": component.plugin,
                    "tasks": list(component.tasks),
                    "summary": component.summary,
                    "reference": component.reference,
                }
                for component in found
            ]
        )
    else:
        rows = [(one.kind, one.name, one.plugin, ", ".join(one.tasks), one.summary) for one in found]
        print_table(("kind", "name", "plugin", "tasks", "summary"), rows)
    for plugin in catalog.plugins.plugins:
        if plugin.error and plugin.error != BLOCKED:
            say(f"warning: plugin `{plugin.name}` is left out: {plugin.error} (zoo plugins)")
