"""Predictions of a whole split; and submissions."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from zoo.data import Batch, Data
from zoo.errors import InputError
from zoo.jobs.evaluate import evaluating
from zoo.jobs.scoring import Scoring, reopen
from zoo.runs.files import write_file
from zoo.tasks import Task


def predict_split(path: Path, split: str, device: str = "auto", variants: bool = False) -> tuple[Data, Task, list[Any]]:
    """Return the dataset, the task, and a prediction for every sample of the split, in order.

    Args:
        variants: average over what the task holds to mean the same too (a picture and its mirror image).

    Raises:
        InputError: there is no such run or split.
    """
    prepared = reopen(path, split=split, device=device)
    return prepared.data, prepared.scoring.task, list(predictions(prepared.scoring, variants))


def predictions(scoring: Scoring, variants: bool = False) -> Iterator[Any]:
    """A prediction for every sample of a split, tensors on the CPU."""
    with evaluating(scoring.learner):
        for batch in scoring.batches.epoch(0):
            changed = scoring.task.variants(batch) if variants else [batch]
            for each in zip(*(_predicted(scoring, one) for one in changed), strict=True):
                yield sum(each[1:], start=each[0]) / len(each) if len(each) > 1 else each[0]


def _predicted(scoring: Scoring, batch: Batch) -> Iterator[Any]:
    for prediction in scoring.learner.predict(batch):
        yield prediction.cpu() if isinstance(prediction, torch.Tensor) else prediction


def write_submission(file: Path, data: Data, names: Sequence[str], answers: Sequence[str | float]) -> None:
    """A CSV file of names and answers, in the form and the order of the dataset's sample submission; where it has
    none, under the names of its columns.

    Raises:
        InputError: the sample submission has other samples, or is not a table of two columns.
    """
    head, order = list(data.columns), list(names)
    if data.submission is not None:
        head, order = _sample_submission(Path(data.submission))
        if set(order) != set(names):
            missing, surplus = sorted(set(order) - set(names)), sorted(set(names) - set(order))
            what = f"`{missing[0]}` is not predicted" if missing else f"`{surplus[0]}` is not asked for"
            raise InputError(f"{data.submission} has {len(order)} samples and the split {len(names)}: {what}")
    answer_of = dict(zip(names, answers, strict=True))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([head, *([name, answer_of[name]] for name in order)])
    write_file(file, text.getvalue().encode())


def _sample_submission(file: Path) -> tuple[list[str], list[str]]:
    """The head, and the first column below it."""
    with file.open(newline="", encoding="utf-8-sig") as opened:
        rows = [row for row in csv.reader(opened) if row]
    if not rows or any(len(row) != 2 for row in rows):
        raise InputError(f"{file} is no table of two columns, a name and an answer")
    return rows[0], [row[0] for row in rows[1:]]
