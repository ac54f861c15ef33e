"""`zoo predict RUN INPUT...`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.output import say
from zoo.errors import InputError


def predict(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    inputs: Annotated[
        list[str] | None, typer.Argument(help="Raw inputs: pictures, sentences, as the task takes them.")
    ] = None,
    split: Annotated[str | None, typer.Option(help="Predict a split of the run's dataset instead.")] = None,
    submission: Annotated[
        Path | None, typer.Option(help="With --split: a CSV file in the form of the dataset's sample submission.")
    ] = None,
    variants: Annotated[
        bool, typer.Option("--variants", help="With --split: average over a picture and its mirror image.")
    ] = False,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="KEY=VALUE: a parameter of the task, such as temperature=0.5.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The folder for drawn predictions.")] = Path("predictions"),
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
) -> None:
    """Predict: a JSON line for each input, and a picture where there is something to draw.

    With --split, a JSON line for each sample; a cross-validation's folds are averaged.
    """
    if split is not None:
        if settings:
            raise InputError("--set is for inputs, not for a --split", f"zoo eval {run}")
        _predict_split(run, split, submission, variants, device)
        return
    if not inputs or submission is not None or variants:
        raise InputError("name inputs, or a --split of the run's dataset", "zoo predict --help")
    from zoo.predictor import each_prediction, load
    from zoo.recipe import parse_overrides

    loaded = load(run, device, parse_overrides(settings or []))
    for raw, sample, prediction in each_prediction(loaded, inputs):
        print(json.dumps({"input": raw, **loaded.task.describe(sample, prediction)}, ensure_ascii=False), flush=True)
        for ending, drawn in loaded.task.drawings(sample, prediction).items():
            out.mkdir(parents=True, exist_ok=True)
            file = _free_name(out, f"{Path(raw).stem}-{ending}" if ending else Path(raw).stem)
            drawn.save(file)
            say(str(file))


def _predict_split(run: Path, split: str, submission: Path | None, variants: bool, device: str) -> None:
    from zoo.jobs.predict import predict_split, write_submission

    data, task, predictions = predict_split(run, split, device, variants)
    names = getattr(data.splits[split], "names", None) or [str(index) for index in range(len(predictions))]
    answers = [task.answer(prediction) for prediction in predictions]
    if submission is None:
        for name, answer in zip(names, answers, strict=True):
            print(json.dumps({"input": name, "answer": answer}, ensure_ascii=False))
    else:
        write_submission(submission, data, names, answers)
        say(f"{len(answers)} predictions: {submission}")


def _free_name(folder: Path, stem: str) -> Path:
    """A name that overwrites nothing."""
    file, number = folder / f"{stem}.png", 2
    while file.exists():
        file, number = folder / f"{stem}-{number}.png", number + 1
    return file
