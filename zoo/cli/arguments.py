"""Arguments that several commands take."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from zoo.errors import InputError
from zoo.registry.component import KINDS


def recipe_names() -> list[str]:
    """Shipped recipes, for a shell's completion."""
    from zoo.recipes.shipped import shipped_recipes
    from zoo.registry.plugins import installed

    return sorted(shipped_recipes(installed().recipe_folders()))


RecipeArgument = Annotated[
    str, typer.Argument(help="A file, or the name of a shipped recipe.", autocompletion=recipe_names)
]
OverridesArgument = Annotated[
    list[str] | None, typer.Argument(help="KEY=VALUE, as in train.epochs=2.", metavar="[KEY=VALUE]...")
]
QuickOption = Annotated[
    bool, typer.Option("--quick", help="Apply the recipe's \\[quick]: a minute or two on two cores.")
]
ChangedData = Annotated[bool, typer.Option("--changed-data", help="The data set has changed, and that is meant.")]


class RecipeCommand(TyperCommand):
    """A command that takes a recipe's settings as KEY=VALUE, and says so to who writes them as options."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        known = {name for param in self.get_params(ctx) for name in (*param.opts, *param.secondary_opts)}
        for number, arg in enumerate(args):
            option, _, value = arg.partition("=")
            if arg == "--" or ctx.resilient_parsing:
                break
            if arg.startswith("--") and option not in known:
                _refuse_setting(option, value or next(iter(args[number + 1 :]), "VALUE"))
        return super().parse_args(ctx, args)


def _refuse_setting(option: str, value: str) -> None:
    """Raise an error for `--epochs 2` or `--optimizer.lr 0.1`, and leave other options to the parser."""
    from zoo.recipes.settings import Train, tables_of
    from zoo.registry.plugins import installed

    name = option.removeprefix("--").replace("-", "_")
    table = name.partition(".")[0]
    if name in {field.name for field in fields(Train)}:
        name = f"train.{name}"
    elif not ("." in name and table in (*KINDS, "expect", *tables_of(installed()))):
        return
    raise InputError(f"there is no option `{option}`", f"did you mean `{name}={value}`?")
