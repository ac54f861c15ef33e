"""`zoo predict RUN INPUT...`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.output import say


def predict(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    inputs: Annotated[list[str], typer.Argument(help="Raw inputs: pictures, sentences, as the task takes them.")],
    out: Annotated[Path, typer.Option(help="The folder for drawn predictions.")] = Path("predictions"),
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
) -> None:
    """Predict: a JSON line for each input, and a picture where there is something to draw."""
    from zoo.predictor import each_prediction, load

    loaded = load(run, device)
    for raw, sample, prediction in each_prediction(loaded, inputs):
        print(json.dumps({"input": raw, **loaded.task.describe(sample, prediction)}, ensure_ascii=False), flush=True)
        drawn = loaded.task.draw(sample, prediction)
        if drawn is not None:
            out.mkdir(parents=True, exist_ok=True)
            file = _free_name(out, Path(raw).stem)
            drawn.save(file)
            say(str(file))


def _free_name(folder: Path, stem: str) -> Path:
    """A name that overwrites nothing."""
    file, number = folder / f"{stem}.png", 2
    while file.exists():
        file, number = folder / f"{stem}-{number}.png", number + 1
    return file
