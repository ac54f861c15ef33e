"""Cross-validation: the labelled samples of any dataset, divided anew for every fold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import torch
from annotated_types import Ge

from zoo import Data, InputError, Nested, seeded
from zoo_lab.samples import chosen, column, require_alike


def fold(
    of: Annotated[Any, Nested("dataset")],
    fold: Annotated[int, Ge(1)],
    folds: Annotated[int, Ge(2)] = 5,
    seed: Annotated[int, Ge(0)] = 0,
) -> Data:
    """One fold of another dataset: `val` is its part of the labelled samples, `train` all the others.

    The labelled samples are those of `train` and, where there is one, `val`. The parts have the strata in equal
    proportion, and hold the samples of a group together, where the splits offer strata and groups. What is held out is
    not augmented. Facts, assets and other splits stay.

    Args:
        of: the dataset that is divided.
        fold: which part is held out, from 1 to `folds`.
        folds: parts in all.
        seed: of the division; the same for all folds.

    Raises:
        zoo.InputError: there is no such fold, there are fewer samples or groups than folds, a stratum has a single
            sample, or the dataset cannot be divided.
    """
    if fold > folds:
        raise InputError(f"`fold` is {fold}, and there are folds 1 to {folds}")
    data: Data = of
    splits = labelled(data)
    held = fold_numbers(data, folds, seed) == fold
    require_alike(splits)
    parts = {"train": chosen(splits, ~held, training=True), "val": chosen(splits, held, training=False)}
    return replace(data, splits={**data.splits, **parts})


def labelled(data: Data) -> list[Any]:
    """Return the splits that cross-validation divides.

    Raises:
        zoo.InputError: there is nothing to train on.
    """
    if "train" not in data.splits:
        raise InputError(f"the dataset has no split `train` to divide; it has {', '.join(data.splits)}")
    return [data.splits[name] for name in ("train", "val") if name in data.splits]


def fold_numbers(data: Data, folds: int, seed: int) -> torch.Tensor:
    """Return the fold (N,), from 1, that holds each sample of `train`, followed by `val`, out."""
    import numpy as np

    with seeded(0):  # what scikit-learn imports draws a random number
        from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

    splits = labelled(data)
    count = sum(map(len, splits))
    strata, groups = column(splits, "strata"), column(splits, "groups")
    if count < folds:
        raise InputError(f"{count} samples cannot be divided into {folds} folds")
    for name, samples in Counter(strata or ()).items():
        if samples == 1:
            raise InputError(f"stratum `{name}` has a single sample: what holds it out would never train on it")
    if groups and len(set(groups)) < folds:
        raise InputError(f"{len(set(groups))} groups, which stay together, cannot be divided into {folds} folds")
    shuffled = {"shuffle": True, "random_state": seed % 2**32}
    if strata:
        divide = (StratifiedGroupKFold if groups else StratifiedKFold)(folds, **shuffled)
    else:
        divide = (GroupKFold if groups else KFold)(folds, **shuffled)
    numbers = torch.empty(count, dtype=torch.int64)
    for number, (_, held) in enumerate(divide.split(np.zeros(count), _codes(strata), _codes(groups)), 1):
        numbers[torch.from_numpy(held)] = number
    return numbers


def _codes(values: Sequence[Any] | None) -> list[int] | None:
    """Number the values in the order of their first occurrence: scikit-learn takes some types for measurements."""
    if values is None:
        return None
    known: dict[Any, int] = {}
    return [known.setdefault(value, len(known)) for value in values]
