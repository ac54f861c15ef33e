"""`zoo predict RUN INPUT...`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zoo.cli.inputs import raw_inputs
from zoo.cli.output import print_error, print_json, say
from zoo.errors import InputError, RunFailed, plain
from zoo.runs.files import require_writable

if TYPE_CHECKING:
    from zoo.runs.predictor import Run


def predict(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    inputs: Annotated[
        list[str] | None,
        typer.Argument(help="Raw inputs as the task takes them: sentences; pictures, folders, patterns; - for stdin."),
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
    out: Annotated[
        Path | None, typer.Option(help="The folder for drawn predictions; by default predictions.", show_default=False)
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
) -> None:
    """Predict: a JSON line for each input, and a picture where there is something to draw.

    An input that cannot be read is a line on stderr, and the exit status is 2 in the end. With --split, a JSON line for
    each sample.
    """
    if split is not None:
        if inputs:
            raise InputError("name inputs or a --split, not both", "zoo predict --help")
        if settings:
            raise InputError("--set is for inputs, not for a --split", f"zoo eval {run}")
        _predict_split(run, split, submission, variants, device)
        return
    if not inputs or submission is not None or variants:
        raise InputError("name inputs, or a --split of the run's dataset", "zoo predict --help")
    if out is not None:
        require_writable(out)
    from zoo.recipes.recipe import parse_overrides
    from zoo.runs.predictor import load

    loaded = load(run, device, parse_overrides(settings or []))
    if not _predict_inputs(loaded, inputs, out or Path("predictions")):
        raise typer.Exit(InputError.exit_status)


def _predict_inputs(loaded: Run, inputs: list[str], out: Path) -> bool:
    """Predict what can be read, and return whether that is all."""
    right = True
    for raw, outcome in loaded.predict_each(raw_inputs(inputs, loaded.task.suffixes)):
        if isinstance(outcome, InputError):
            print_error(outcome)
            right = False
            continue
        print_json({"input": raw, **loaded.task.describe(*outcome)}, indent=None)
        for ending, drawn in loaded.task.drawings(*outcome).items():
            say(str(_save(drawn, out, "-".join(filter(None, (_stem(raw), ending))))))
    return right


def _predict_split(run: Path, split: str, submission: Path | None, variants: bool, device: str) -> None:
    from zoo.jobs.predict import predict_split, write_submission

    if submission is not None:
        if submission.is_dir() or not submission.parent.is_dir():
            raise InputError(f"{submission} is no place for a file", "name a file in a folder that is there")
        require_writable(submission.parent)
    data, task, predictions = predict_split(run, split, device, variants)
    names = getattr(data.splits[split], "names", None) or [str(index) for index in range(len(predictions))]
    answers = [task.answer(prediction) for prediction in predictions]
    if submission is None:
        for name, answer in zip(names, answers, strict=True):
            print_json({"input": name, "answer": answer}, indent=None)
    else:
        write_submission(submission, data, names, answers)
        say(f"{len(answers)} predictions: {submission}")


def _stem(raw: str) -> str:
    """A file's name without its ending; of a sentence, its beginning."""
    return plain(Path(raw).stem)[:60] or "input"


def _save(picture: Any, folder: Path, stem: str) -> Path:
    """Write a picture under a name that overwrites nothing."""
    file, number = folder / f"{stem}.png", 2
    while file.exists():
        file, number = folder / f"{stem}-{number}.png", number + 1
    try:
        folder.mkdir(parents=True, exist_ok=True)
        picture.save(file)
    except OSError as error:
        raise RunFailed(f"{file} cannot be written: {error.strerror}") from error
    return file
