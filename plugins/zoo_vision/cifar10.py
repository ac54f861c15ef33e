"""CIFAR-10 (Krizhevsky, 2009, Learning Multiple Layers of Features from Tiny Images): 60,000 pictures, 32x32."""

from __future__ import annotations

from pathlib import Path

import torch

from zoo import Data, InputError, find_data
from zoo_vision.augment import Augment, Change
from zoo_vision.bounds import Share, Size
from zoo_vision.picture_data import hold_out, labelled, picture_data

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
HASH = "md5:c32a1d4ab5d03f1284b67883e8d87530"  # as its page states it
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SIDE = 32
RECORD = 1 + 3 * SIDE * SIDE  # a label, then red, green and blue, row by row
FILES = {"train": [f"data_batch_{number}.bin" for number in range(1, 6)], "test": ["test_batch.bin"]}
MEAN, STD = [0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616]  # of the training pictures


def cifar10(
    root: Path | None = None,
    size: Size = (SIDE, SIDE),
    val_size: Share = 0.1,
    augment: tuple[Change, ...] = ("crop", "flip"),
    seed: int = 0,
) -> Data:
    """50,000 training and 10,000 test pictures, from the binary version (the other one is a pickle).

    Samples have `input` uint8 (3, 32, 32) and `label`.

    Args:
        root: the folder with data_batch_1.bin to data_batch_5.bin and test_batch.bin.
        size: height and width that the network is given.
        val_size: share of the training pictures that becomes the split `val`; with 0 there is none.
        augment: changes to training pictures; see `Augment`.
        seed: of what is held out.

    Raises:
        zoo.InputError: the files can neither be found nor fetched, or are damaged.
    """
    folder = find_data("cifar10", root, url=URL, hash=HASH)
    if (folder / "cifar-10-batches-bin").is_dir():  # the archive has a folder of its own
        folder = folder / "cifar-10-batches-bin"
    pictures, labels = _read(folder, FILES["train"])
    splits = {}
    if val_size:
        kept, held = hold_out(labels, val_size, seed, CLASSES)
        splits["val"] = labelled(pictures[held], labels[held])
        pictures, labels = pictures[kept], labels[kept]
    transform = Augment(augment, len(CLASSES)) if augment else None
    splits["train"] = labelled(pictures, labels, transform)
    splits["test"] = labelled(*_read(folder, FILES["test"]))
    return picture_data(splits, CLASSES, channels=3, size=size, mean=MEAN, std=STD)


def _read(folder: Path, names: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
    records = torch.cat([_records(folder / name) for name in names])
    labels = records[:, 0].long()
    if int(labels.max()) >= len(CLASSES):
        raise InputError(f"{folder} has a label of {int(labels.max())}: it is not CIFAR-10's binary version")
    return records[:, 1:].reshape(-1, 3, SIDE, SIDE).contiguous(), labels


def _records(file: Path) -> torch.Tensor:
    try:
        content = file.read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"there is no {file}", "the binary version is needed, not the one for Python") from error
    if not content or len(content) % RECORD:
        raise InputError(f"{file} is damaged: its {len(content)} bytes are no whole number of {RECORD}-byte records")
    return torch.frombuffer(bytearray(content), dtype=torch.uint8).view(-1, RECORD)
