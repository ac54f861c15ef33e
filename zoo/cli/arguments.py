"""Arguments that several commands take."""

from __future__ import annotations

from typing import Annotated

import typer


def recipe_names() -> list[str]:
    """Shipped recipes, for a shell's completion."""
    from zoo.plugins import installed
    from zoo.shipped import shipped_recipes

    return sorted(shipped_recipes(installed().recipe_folders()))


RecipeName = Annotated[
    str, typer.Argument(help="A file, or the name of a shipped recipe.", autocompletion=recipe_names)
]
Overrides = Annotated[
    list[str] | None, typer.Argument(help="KEY=VALUE, as in train.epochs=2.", metavar="[KEY=VALUE]...")
]
Quick = Annotated[bool, typer.Option("--quick", help="Apply the recipe's \\[quick]: a minute or two on two cores.")]
