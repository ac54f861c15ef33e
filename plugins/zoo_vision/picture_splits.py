"""Which pictures are trained on, and which are held out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import torch

from zoo import Data, InputError
from zoo_vision.augment import Augment, Change
from zoo_vision.bounds import Size
from zoo_vision.duplicates import duplicate_groups
from zoo_vision.picture_data import hold_out, picture_data
from zoo_vision.picture_files import MEAN, STD, PictureFiles, decoded, make_split

SplitBy = Literal["stratified", "grouped", "random", "last"]


def split_files(
    files: Mapping[str, PictureFiles],
    classes: Sequence[str],
    *,
    size: Size,
    val_size: float,
    split: SplitBy,
    augment: Sequence[Change],
    seed: int,
) -> Data:
    """The data of labelled files; where there is no `val`, a part of `train` becomes it.

    What is held out is chosen `stratified`: every class in the same proportion; `grouped`: as well, with pictures
    that look the same on one side; at `random`; or it is the `last` part of the list, which is refused where the list
    is ordered by class: classes would be held out that were never trained on.

    Raises:
        InputError: files are missing or no pictures, a class is too small, or the list is ordered.
    """
    files = dict(files)
    for own in files.values():
        own.require_files()
    pictures = {name: decoded(own, size) for name, own in files.items()}
    train, whole = files["train"], pictures["train"]
    if split == "grouped":
        train = files["train"] = replace(train, groups=_groups(whole))
    if "val" not in files and val_size:
        kept, held = _held_out(train, val_size, split, seed, classes)
        for name, indices in (("train", kept), ("val", held)):
            files[name] = train.chosen(indices.tolist())
            pictures[name] = None if whole is None else whole[indices]
    change = Augment(augment, len(classes)) if augment else None
    splits = {
        name: make_split(own, pictures[name], size, change if name == "train" else None) for name, own in files.items()
    }
    return picture_data(splits, classes, channels=3, size=size, mean=MEAN, std=STD)


def _held_out(
    files: PictureFiles, share: float, split: SplitBy, seed: int, classes: Sequence[str]
) -> tuple[torch.Tensor, torch.Tensor]:
    labels = torch.tensor(files.labels)
    if split == "stratified":
        return hold_out(labels, share, seed, classes)
    if split == "grouped":
        return _grouped(labels, files.groups, share, seed)
    count = len(labels)
    shuffle = torch.Generator().manual_seed(seed)
    order = torch.randperm(count, generator=shuffle) if split == "random" else torch.arange(count)
    kept, held = order[: count - round(share * count)], order[count - round(share * count) :]
    never = set(labels[held].tolist()) - set(labels[kept].tolist())
    if split == "last" and never:
        raise InputError(
            f"the list of pictures is ordered by class: its last {share:.0%} has `{classes[min(never)]}`, which the "
            "rest has not",
            'split = "stratified" draws from every class',
        )
    return kept.sort().values, held.sort().values


def _grouped(labels: torch.Tensor, groups: Sequence[int], share: float, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    from sklearn.model_selection import StratifiedGroupKFold  # takes a second to import

    folds = StratifiedGroupKFold(max(2, round(1 / share)), shuffle=True, random_state=seed % 2**32)
    kept, held = next(folds.split(np.zeros(len(labels)), labels.numpy(), np.array(groups)))
    return torch.from_numpy(kept), torch.from_numpy(held)


def _groups(pictures: torch.Tensor | None) -> list[int]:
    if pictures is None:
        raise InputError(
            'split = "grouped" compares all pictures, and these do not fit in memory', 'split = "stratified"'
        )
    return duplicate_groups(pictures)
