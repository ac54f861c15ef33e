"""A CSV file of pictures and labels, as Kaggle hands them out: train.csv, test.csv, sample_submission.csv."""

from __future__ import annotations

import csv
from pathlib import Path

from zoo import Data, InputError, find_data
from zoo_vision.augment import Change
from zoo_vision.bounds import Share, Size
from zoo_vision.picture_files import PictureFiles
from zoo_vision.picture_splits import SplitBy, split_files

SUBMISSION = "sample_submission.csv"


def picture_csv(
    folder: str = "pictures",
    root: Path | None = None,
    train: str = "train.csv",
    test: str = "test.csv",
    picture_column: str = "image",
    label_column: str = "label",
    size: Size = (224, 224),
    val_size: Share = 0.2,
    split: SplitBy = "stratified",
    augment: tuple[Change, ...] = ("resized_crop", "flip"),
    seed: int = 0,
) -> Data:
    """Pictures that a CSV file names, with their labels.

    Classes are the labels, sorted. A part of the training file becomes the split `val`. The test file may have no
    labels; `zoo predict RUN --split test --submission FILE` predicts it, in the form of sample_submission.csv where
    there is one, else with the columns of the training file.

    Args:
        folder: name of the folder under `$ZOO_DATA` or in the cache.
        root: the folder itself, wherever it is; then `folder` says nothing.
        train: the CSV file in it with labels.
        test: the one without; it need not be there.
        picture_column: the column of paths, relative to the folder.
        label_column: the column of labels.
        size: height and width that pictures are resized to; their shape is let go.
        val_size: share of the training pictures that becomes the split `val`; with 0 there is none.
        split: how they are chosen; see `split_files`.
        augment: changes to training pictures; see `Augment`.
        seed: of what is held out.

    Raises:
        zoo.InputError: a file is missing, is no picture or no such table; a label is empty; or the test file has a
            label that training never saw. It names file and line.
    """
    found = find_data(folder, root, help=f"put {train} and its pictures into $ZOO_DATA/{folder}, or name it as `root`")
    names, labels = _read(found / train, picture_column, label_column, labelled=True)
    classes = sorted(set(labels))
    files = {"train": PictureFiles(found, names, [classes.index(label) for label in labels])}
    if (found / test).is_file():
        names, labels = _read(found / test, picture_column, label_column, labelled=False)
        for line, label in enumerate(labels, 2):
            if label not in classes:
                raise InputError(f"{found / test}:{line}: training never saw the label `{label}`")
        files["test"] = PictureFiles(found, names, [classes.index(label) for label in labels])
    submission = found / SUBMISSION
    data = split_files(files, classes, size=size, val_size=val_size, split=split, augment=augment, seed=seed)
    data.submission = str(submission) if submission.is_file() else None
    data.columns = picture_column, label_column
    return data


def _read(file: Path, picture: str, label: str, labelled: bool) -> tuple[list[str], list[str]]:
    """Names of pictures and their labels; no labels where the file has no such column and needs none."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as opened:
            reader = csv.DictReader(opened)
            columns = list(reader.fieldnames or ())
            rows = list(reader)
    except FileNotFoundError as error:
        raise InputError(f"there is no {file}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{file} is no CSV file: {error}") from error
    for column in (picture, label) if labelled else (picture,):
        if column not in columns:
            raise InputError(f"{file} has no column `{column}`", f"its columns are {', '.join(columns) or 'none'}")
    if not rows:
        raise InputError(f"{file} names no picture")
    for line, row in enumerate(rows, 2):
        for column in (picture, label):
            if column in columns and not (row[column] or "").strip():
                raise InputError(f"{file}:{line}: `{column}` is empty")
    _require_different([row[picture] for row in rows], file)
    return [row[picture] for row in rows], [row[label] for row in rows] if label in columns else []


def _require_different(names: list[str], file: Path) -> None:
    seen: dict[str, int] = {}
    for line, name in enumerate(names, 2):
        if name in seen:
            raise InputError(f"{file}:{line}: {name} is in line {seen[name]} already")
        seen[name] = line
