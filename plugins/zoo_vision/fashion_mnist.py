"""Fashion-MNIST (Xiao et al., 2017): 70,000 grey pictures of clothes, 28x28, in ten classes."""

from __future__ import annotations

from pathlib import Path

from zoo import Data, InputError, find_data
from zoo_vision.augment import Augment, Change
from zoo_vision.bounds import Count, Share, Size
from zoo_vision.idx import read_idx
from zoo_vision.picture_data import hold_out, labelled, picture_data

URL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
# As torchvision states them.
FILES = {
    "train-images-idx3-ubyte.gz": "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "md5:25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "md5:bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "md5:bb300cfdad3c16e7a12a480ee83cd310",
}
DEBIAN = "/usr/share/datasets/fashion-mnist"  # where the package dataset-fashion-mnist puts them
CLASSES = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
MEAN, STD = 0.2860, 0.3530  # of the training pictures


def fashion_mnist(
    root: Path | None = None,
    size: Size = (28, 28),
    val_size: Share = 0.1,
    train_size: Count | None = None,
    augment: tuple[Change, ...] = (),
    rgb: bool = False,
    seed: int = 0,
) -> Data:
    """60,000 training and 10,000 test pictures, from idx files where they are, else fetched.

    Samples have `input` uint8 (1, 28, 28) and `label`. The files are looked for in `root`, `$ZOO_DATA/fashion-mnist`,
    the cache, and where Debian's package `dataset-fashion-mnist` puts them.

    Args:
        root: the folder with the four files, gzipped or not.
        size: height and width that the network is given; the book shows 224x224 to AlexNet and 96x96 to ResNet.
        val_size: share of the training pictures that becomes the split `val`; with 0 there is none, and the recipe
            says what else is scored.
        train_size: the first so many of the training pictures only, for a quick look; the test pictures stay all.
        augment: changes to training pictures; see `Augment`.
        rgb: show them in three equal channels, to networks that were made for colours.
        seed: of what is held out.

    Raises:
        zoo.InputError: the files can neither be found nor fetched, or are damaged.
    """
    folder = find_data("fashion-mnist", root, url=URL, files=FILES, places=[DEBIAN])
    splits = {}
    for split, prefix in (("train", "train"), ("test", "t10k")):
        pictures = read_idx(folder, f"{prefix}-images-idx3-ubyte").unsqueeze(1)
        labels = read_idx(folder, f"{prefix}-labels-idx1-ubyte").long()
        if len(pictures) != len(labels):
            raise InputError(f"{folder}: {len(pictures)} pictures and {len(labels)} labels in `{prefix}`")
        splits[split] = pictures, labels
    pictures, labels = splits.pop("train")
    pictures, labels = pictures[:train_size], labels[:train_size]
    if val_size:
        kept, held = hold_out(labels, val_size, seed, CLASSES)
        splits["val"] = pictures[held], labels[held]
        pictures, labels = pictures[kept], labels[kept]
    transform = Augment(augment, len(CLASSES)) if augment else None
    return picture_data(
        {
            "train": labelled(pictures, labels, transform),
            **{name: labelled(*own) for name, own in splits.items()},
        },
        CLASSES,
        channels=3 if rgb else 1,
        size=size,
        mean=[MEAN],
        std=[STD],
    )
