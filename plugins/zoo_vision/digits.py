"""scikit-learn's digits: 1,797 grey pictures, 8x8, in ten classes. They lie in its wheel: no download."""

from __future__ import annotations

import torch
from sklearn.datasets import load_digits

from zoo import Data
from zoo_vision.augment import Augment, Change
from zoo_vision.bounds import Share, Size
from zoo_vision.picture_data import hold_out, labelled, picture_data

CLASSES = tuple("0123456789")
BRIGHTEST = 16  # of the values in the file


def digits(
    size: Size = (8, 8),
    val_size: Share = 0.2,
    test_size: Share = 0.2,
    augment: tuple[Change, ...] = (),
    rgb: bool = False,
    seed: int = 0,
) -> Data:
    """Handwritten digits (Alpaydin and Kaynak, 1998, Optical Recognition of Handwritten Digits).

    Samples have `input` uint8 (1, 8, 8) and `label`. The splits are drawn class by class: there is no official one.

    Args:
        size: height and width that the network is given.
        val_size, test_size: shares of all pictures; with 0 there is no such split.
        augment: changes to training pictures; see `Augment`.
        rgb: show them in three equal channels, to networks that were made for colours.
        seed: of the splits.
    """
    loaded = load_digits()
    pictures = torch.from_numpy(loaded.images * (255 / BRIGHTEST)).round().to(torch.uint8).unsqueeze(1)
    labels = torch.from_numpy(loaded.target).long()
    kept = torch.arange(len(labels))
    splits = {}
    left = 1.0
    for name, share in (("test", test_size), ("val", val_size)):
        if share:
            rest, held = hold_out(labels[kept], share / left, seed, CLASSES)
            splits[name] = labelled(pictures[kept[held]], labels[kept[held]])
            kept, left = kept[rest], left - share
    transform = Augment(augment, len(CLASSES)) if augment else None
    splits["train"] = labelled(pictures[kept], labels[kept], transform)
    return picture_data(splits, CLASSES, channels=3 if rgb else 1, size=size, mean=[0.306], std=[0.377])
