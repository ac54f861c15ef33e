"""Some samples of a split, whatever kind of split it is."""

from dataclasses import replace
from typing import Annotated, Any

import torch
from annotated_types import Ge

from zoo import Data, InputError, Nested, TensorSplit

ONE_A_SAMPLE = ("strata", "groups", "names")


def subset(
    of: Annotated[Any, Nested("dataset")], every: Annotated[int, Ge(1)] = 1, first: Annotated[int, Ge(1)] | None = None
) -> Data:
    """Every so many-th training sample of another dataset; all else, facts and assets included, stays.

    Args:
        of: the dataset.
        every: the distance of the samples that are kept.
        first: how many of these are kept; by default all.
    """
    train = of.splits["train"]
    return replace(of, splits={**of.splits, "train": chosen(train, torch.arange(0, len(train), every)[:first])})


def chosen(split, indices):
    """The samples of these indices as a split of the same kind."""
    if hasattr(split, "subset"):
        return split.subset(indices)
    if getattr(split, "batching", None):
        raise InputError("this dataset makes its own batches of all training samples; it has no subset")
    if not isinstance(split, TensorSplit):
        return Chosen(split, indices)
    tensors = {name: tensor[indices] for name, tensor in split.tensors.items()}
    return TensorSplit(transform=split.transform, **columns(split, indices), **tensors)


def columns(split, indices):
    """What a split says of each sample, by name."""
    offered = {name: getattr(split, name, None) for name in ONE_A_SAMPLE}
    return {name: [values[i] for i in indices.tolist()] for name, values in offered.items() if values is not None}


class Chosen(torch.utils.data.Dataset):
    """Some samples of a map-style split. It has of the core's optional attributes what that split has."""

    def __init__(self, split, indices) -> None:
        self.split, self.indices = split, indices
        vars(self).update(columns(split, indices))
        for name in ("batch_transform", "set_epoch"):
            if hasattr(split, name):
                setattr(self, name, getattr(split, name))
        if hasattr(split, "batch"):
            self.batch = self.one_batch
        if hasattr(split, "plain"):
            self.plain = chosen(split.plain, indices)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index):
        return self.split[int(self.indices[index])]

    def one_batch(self, indices):
        return self.split.batch(self.indices[indices])
