"""`zoo plugins`: what is installed, and what is wrong with it."""

from __future__ import annotations

from typing import Annotated

import typer

from zoo.cli.output import print_json, print_table


def plugins(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List plugins with their versions, and the errors of those that do not work."""
    from zoo.registry.plugins import Plugin, installed

    found = installed()
    found.recipe_folders()  # the one hook that is called only when a recipe is looked up

    def error(plugin: Plugin) -> str:
        failure = found.failures.get(plugin.name)
        return plugin.error or (f"{failure.hook}: {failure.error}" if failure else "")

    if as_json:
        print_json(
            [
                {
                    "name": plugin.name,
                    "module": plugin.module,
                    "distribution": plugin.distribution,
                    "version": plugin.version,
                    "components": len(plugin.components),
                    "error": error(plugin) or None,
                }
                for plugin in found.plugins
            ]
        )
        return
    rows = [
        (one.name, one.module, f"{one.distribution} {one.version}", str(len(one.components)), error(one) or "-")
        for one in found.plugins
    ]
    print_table(("name", "module", "distribution", "components", "error"), rows)
