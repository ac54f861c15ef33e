"""Cross-validation: the labelled samples of a dataset, divided anew for every fold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from zoo.data import Batch, Data, TensorSplit
from zoo.errors import InputError

ONE_A_SAMPLE = ("strata", "groups", "names")


def fold_of(data: Data, folds: int, fold: int, seed: int) -> Data:
    """The data of one fold: `val` is its part of the labelled samples, `train` all the others.

    `train` and, where there is one, `val` are put together first. The parts have the strata in equal proportion, and
    hold the samples of a group together, where the split offers strata and groups. Other splits stay.

    Args:
        fold: from 1 to `folds`.
        seed: of the division; the same for all folds.

    Raises:
        InputError: there is no such fold, there are fewer samples than folds, or a stratum has a single sample.
    """
    if not 1 <= fold <= folds:
        raise InputError(f"train.fold is {fold}, and there are folds 1 to {folds}")
    whole = _labelled(data)
    held = _divided(whole, folds, seed) == fold
    splits = {"train": _chosen(whole, ~held, training=True), "val": _chosen(whole, held, training=False)}
    return replace(data, splits={**data.splits, **splits})


def fold_numbers(data: Data, folds: int, seed: int) -> torch.Tensor:
    """The fold (N,), from 1, that holds each sample of `train` and `val` out."""
    return _divided(_labelled(data), folds, seed)


def fold_folders(path: Path) -> list[Path]:
    """The folds' run folders in a cross-validation's, in order; none in another run's."""
    folders = [child for child in path.glob("fold-*") if child.name.removeprefix("fold-").isdigit()]
    return sorted(folders, key=lambda child: int(child.name.removeprefix("fold-")))


def mean_of(answers: Iterable[Any]) -> torch.Tensor:
    """The mean of what the models of several folds say of the same samples.

    Raises:
        InputError: they are no tensors.
    """
    answers = list(answers)
    if not all(isinstance(answer, torch.Tensor) for answer in answers):
        raise InputError("answers that are no tensors cannot be averaged over folds", "name one fold's folder")
    return torch.stack(answers).mean(dim=0)


def _labelled(data: Data) -> Any:
    train = data.splits["train"]
    return _joined(train, data.splits["val"]) if "val" in data.splits else train


def _divided(split: Any, folds: int, seed: int) -> torch.Tensor:
    import numpy as np
    from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

    count, strata, groups = len(split), _column(split, "strata"), _column(split, "groups")
    if count < folds:
        raise InputError(f"{count} samples cannot be divided into {folds} folds")
    for name, samples in Counter(strata or ()).items():
        if samples == 1:
            raise InputError(f"stratum `{name}` has a single sample: what holds it out would never train on it")
    shuffled = {"shuffle": True, "random_state": seed % 2**32}
    if strata:
        divide = (StratifiedGroupKFold if groups else StratifiedKFold)(folds, **shuffled)
    else:
        divide = (GroupKFold if groups else KFold)(folds, **shuffled)
    numbers = torch.empty(count, dtype=torch.int64)
    for number, (_, held) in enumerate(divide.split(np.zeros(count), strata, groups), 1):
        numbers[torch.from_numpy(held)] = number
    return numbers


def _joined(first: Any, second: Any) -> Any:
    columns: dict[str, Any] = {}
    for name in ONE_A_SAMPLE:
        both = [_column(split, name) for split in (first, second)]
        columns[name] = [*both[0], *both[1]] if both[0] and both[1] else None
    if isinstance(first, TensorSplit) and isinstance(second, TensorSplit):
        if set(first.tensors) != set(second.tensors):
            raise InputError(
                "this dataset cannot be cross-validated: samples of `train` and `val` are not alike",
                f"`train` has {_listed(first.tensors)}, and `val` {_listed(second.tensors)}",
            )
        tensors: dict[str, Any] = {
            name: torch.cat([first.tensors[name], second.tensors[name]]) for name in first.tensors
        }
        return TensorSplit(transform=first.transform, **columns, **tensors)
    return _Samples([(split, index) for split in (first, second) for index in range(len(split))], first, columns)


def _chosen(split: Any, where: torch.Tensor, training: bool) -> Any:
    indices = where.nonzero().flatten()
    columns: dict[str, Any] = {}
    for name in ONE_A_SAMPLE:
        values = _column(split, name)
        columns[name] = [values[index] for index in indices.tolist()] if values else None
    if not training:
        split = getattr(split, "plain", split)
    if isinstance(split, TensorSplit):
        tensors: dict[str, Any] = {name: tensor[indices] for name, tensor in split.tensors.items()}
        return TensorSplit(transform=split.transform if training else None, **columns, **tensors)
    return _Samples([(split, index) for index in indices.tolist()], split if training else None, columns)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _column(split: Any, name: str) -> Sequence[Any] | None:
    return getattr(split, name, None) or None


class _Samples(torch.utils.data.Dataset[Batch]):
    """Samples of other splits, in a given order."""

    def __init__(self, places: list[tuple[Any, int]], like: Any, columns: dict[str, Any]) -> None:
        self.places = places
        self.batch_transform = getattr(like, "batch_transform", None)
        self.strata, self.groups, self.names = (columns[name] for name in ONE_A_SAMPLE)

    @property
    def plain(self) -> _Samples:
        """The same samples without augmentation."""
        places = [(getattr(split, "plain", split), place) for split, place in self.places]
        return _Samples(places, None, {name: getattr(self, name) for name in ONE_A_SAMPLE})

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> Batch:
        split, place = self.places[index]
        sample: Batch = split[place]
        return sample
