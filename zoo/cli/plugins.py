"""`zoo plugins`: what is installed, and what is wrong with it."""

from __future__ import annotations

from typing import Annotated

import typer

from zoo.cli.output import print_json, print_table


def plugins(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List plugins with their versions, and the errors of those that do not work."""
    from zoo.plugins import installed

    found = installed().plugins
    if as_json:
        print_json(
            [
                {
                    "name": plugin.name,
                    "module": plugin.module,
                    "distribution": plugin.distribution,
                    "version": plugin.version,
                    "components": len(plugin.components),
                    "error": plugin.error or None,
                }
                for plugin in found
            ]
        )
        return
    rows = [
        (one.name, one.module, f"{one.distribution} {one.version}", str(len(one.components)), one.error or "-")
        for one in found
    ]
    print_table(("name", "module", "distribution", "components", "error"), rows)
