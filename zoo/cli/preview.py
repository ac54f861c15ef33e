"""`zoo preview RECIPE [KEY=VALUE...]`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.check import recipe_names
from zoo.cli.output import say


def preview(
    recipe: Annotated[
        str, typer.Argument(help="A file, or the name of a shipped recipe.", autocompletion=recipe_names)
    ],
    overrides: Annotated[
        list[str] | None, typer.Argument(help="KEY=VALUE, as in dataset.size=64.", metavar="[KEY=VALUE]...")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Apply the recipe's [quick].")] = False,
    out: Annotated[Path, typer.Option(help="The picture to write.")] = Path("preview.png"),
    samples: Annotated[int, typer.Option(help="How many samples.", min=1, max=400)] = 32,
) -> None:
    """Draw training samples as the model sees them, augmented, with their labels."""
    from zoo.jobs.preview import draw_samples

    draw_samples(recipe, overrides or [], quick, samples).save(out)
    say(str(out))
