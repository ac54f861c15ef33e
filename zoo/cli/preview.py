"""`zoo preview RECIPE [KEY=VALUE...]`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.arguments import Overrides, Quick, RecipeName
from zoo.cli.output import say


def preview(
    recipe: RecipeName,
    overrides: Overrides = None,
    quick: Quick = False,
    out: Annotated[Path, typer.Option(help="The picture to write.")] = Path("preview.png"),
    samples: Annotated[int, typer.Option(help="How many samples.", min=1, max=400)] = 32,
) -> None:
    """Draw training samples as the model sees them, augmented, with their labels."""
    from zoo.jobs.preview import draw_samples

    draw_samples(recipe, overrides or [], quick, samples).save(out)
    say(str(out))
