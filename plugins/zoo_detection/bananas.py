"""The bananas of Dive into Deep Learning, section 14.6: one banana on each picture."""

from __future__ import annotations

import csv
from pathlib import Path

from zoo import Data, InputError, TensorSplit, find_data
from zoo_detection.augment import BatchAugment
from zoo_detection.boxed_pictures import MEAN, STD, BoxedPicture, BoxedPictures, whole_tensors

URL = "https://d2l-data.s3-accelerate.amazonaws.com/banana-detection.zip"
HASH = "sha1:5de26c8fce5ccdea9f91267273464dc968d20d72"  # as the book states it
COLUMNS = ("xmin", "ymin", "xmax", "ymax")
SIDE = 256


def bananas(root: Path | None = None) -> Data:
    """1,000 pictures to train on and 100 to score, 256x256, fetched from the book's bucket when first asked for.

    Samples have `input` uint8 (3, 256, 256), `boxes` float32 (1, 4) as corners in pixels and `labels` int64 (1,).
    Training pictures are augmented in batches, see `BatchAugment`.

    Args:
        root: the unpacked folder, with `bananas_train` and `bananas_val`.

    Raises:
        zoo.InputError: it can neither be found nor fetched, or a file in it is not what it should be.
    """
    folder = find_data("banana-detection", root, url=URL, hash=HASH)
    if (folder / "banana-detection").is_dir():  # the archive has a folder of its own
        folder = folder / "banana-detection"
    train, val = (
        whole_tensors(BoxedPictures(read_labels(folder / f"bananas_{split}"), (SIDE, SIDE)))
        for split in ("train", "val")
    )
    return Data(
        splits={"train": TensorSplit(transform=BatchAugment(), **train), "val": TensorSplit(**val)},
        facts={"num_classes": 1, "input_size": [SIDE, SIDE]},
        assets={"classes": ["banana"], "preprocess": {"size": [SIDE, SIDE], "mean": MEAN, "std": STD}},
    )


def read_labels(folder: Path) -> list[BoxedPicture]:
    """The pictures of label.csv, which has a row for each, with the box in pixels of a 256x256 picture."""
    file = folder / "label.csv"
    try:
        with file.open(newline="", encoding="utf-8") as opened:
            rows = list(csv.DictReader(opened))
        entries = [
            BoxedPicture(folder / "images" / row["img_name"], [[float(row[side]) / SIDE for side in COLUMNS]], [0])
            for row in rows
        ]
    except FileNotFoundError as error:
        raise InputError(f"there is no {file}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{file} is not a table of img_name, label, xmin, ymin, xmax, ymax: {error!r}") from error
    if not entries:
        raise InputError(f"{file} names no picture")
    return entries
