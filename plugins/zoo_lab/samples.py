"""Some samples of several splits, as one split."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch

from zoo import Batch, InputError, TensorSplit, seeded

ONE_A_SAMPLE = ("strata", "groups", "names")


def chosen(splits: Sequence[Any], where: torch.Tensor, *, training: bool) -> Any:
    """Return the samples that a mask chooses.

    Args:
        splits: their samples count one split after the other.
        where: the mask, bool (N,).
        training: keep the augmentation: that of single samples is each split's own, that of batches the first one's.
    """
    ends = torch.tensor([len(split) for split in splits]).cumsum(0)[:-1]
    indices = [part.nonzero().flatten() for part in where.tensor_split(ends)]
    columns: dict[str, Any] = {name: _chosen(column(splits, name), where) for name in ONE_A_SAMPLE}
    if not training:
        splits = [getattr(split, "plain", split) for split in splits]
    if not _can_be_joined(splits):
        return Samples(list(zip(splits, indices, strict=True)), columns, training=training)
    tensors: dict[str, Any] = {
        name: torch.cat([split.tensors[name][part] for split, part in zip(splits, indices, strict=True)])
        for name in splits[0].tensors
    }
    return TensorSplit(transform=splits[0].transform if training else None, **columns, **tensors)


def column(splits: Sequence[Any], name: str) -> list[Any] | None:
    """Return the values that splits offer, one a sample; None where one of them has none."""
    values: list[Any] = []
    for split in splits:
        offered = getattr(split, name, None)
        if offered is None or len(offered) == 0:
            return None
        values += offered.tolist() if hasattr(offered, "tolist") else offered
    return values


def require_alike(splits: Sequence[Any]) -> None:
    """Refuse splits whose samples cannot stand in one split, or in another order.

    Raises:
        zoo.InputError: they differ in what they have, or make their own batches and cannot be divided.
    """
    first, *others = [_names(split) for split in splits if len(split)]
    for other in others:
        if set(other) != set(first):
            raise InputError(
                "this dataset cannot be cross-validated: samples of `train` and `val` are not alike",
                f"`train` has {_listed(first)}, and `val` {_listed(other)}",
            )
    if any(_has_batching(split) for split in splits):
        if not all(_has_batching(split) and hasattr(split, "subset") for split in splits):
            raise InputError(
                "this dataset cannot be cross-validated: its `batching` is one of all samples together",
                "a split that offers `subset(indices)`, too, can be divided",
            )


class Samples(torch.utils.data.Dataset[Batch]):
    """A map-style split of some samples of other splits.

    Args:
        parts: splits, and the indices that are taken of each.
        columns: `strata`, `groups` and `names`.
        training: keep what augments and orders training batches.
    """

    def __init__(
        self, parts: Sequence[tuple[Any, torch.Tensor]], columns: dict[str, list[Any] | None], *, training: bool
    ) -> None:
        self.parts = [_subset(split, indices) for split, indices in parts if len(indices)]
        self.places = [(split, index) for split, indices in self.parts for index in indices.tolist()]
        self.columns = columns
        self.strata, self.groups, self.names = (columns[name] for name in ONE_A_SAMPLE)
        self.batch_transform = self.batching = None
        if training:
            first = parts[0][0]
            transform = "transform" if isinstance(first, TensorSplit) else "batch_transform"
            self.batch_transform = getattr(first, transform, None)
            self.batching = self._batching if _has_batching(first) else None
            if any(hasattr(split, "set_epoch") for split, _ in self.parts):
                self.set_epoch = self._set_epoch

    @property
    def plain(self) -> Samples:
        """The same samples without augmentation."""
        return Samples(
            [(getattr(split, "plain", split), indices) for split, indices in self.parts], self.columns, training=False
        )

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> Batch:
        split, place = self.places[index]
        sample: Batch = split[place]
        return sample

    def _set_epoch(self, epoch: int) -> None:
        for split, _ in self.parts:
            if hasattr(split, "set_epoch"):
                split.set_epoch(epoch)

    def _batching(self, size: int, generator: torch.Generator) -> list[torch.Tensor]:
        """Return the batches that each split makes of its own samples, in a random order."""
        batches, start = [], 0
        for split, indices in self.parts:
            batches += [batch + start for batch in split.batching(size, generator)]
            start += len(indices)
        return [batches[number] for number in torch.randperm(len(batches), generator=generator).tolist()]


def _subset(split: Any, indices: torch.Tensor) -> tuple[Any, torch.Tensor]:
    """Return a split that has these samples alone where it can be made, and the places of the samples in it."""
    if not hasattr(split, "subset"):
        return split, indices
    return split.subset(indices), torch.arange(len(indices))


def _can_be_joined(splits: Sequence[Any]) -> bool:
    """Whether the splits are tensors of the same sizes: boxes may be padded to as many as a split has of them."""
    if not all(isinstance(split, TensorSplit) for split in splits):
        return False
    sizes = [{name: tensor.shape[1:] for name, tensor in split.tensors.items()} for split in splits]
    return all(size == sizes[0] for size in sizes)


def _chosen(values: list[Any] | None, where: torch.Tensor) -> list[Any] | None:
    return None if values is None else [values[index] for index in where.nonzero().flatten().tolist()]


def _names(split: Any) -> list[str]:
    """Return what a split's samples have."""
    if isinstance(split, TensorSplit):
        return list(split.tensors)
    with seeded(0):
        return list(split[0])


def _has_batching(split: Any) -> bool:
    return getattr(split, "batching", None) is not None


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
