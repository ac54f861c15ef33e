"""What a dataset component returns. One of the two protocols that are ours (the other is `zoo.tasks.Task`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

Batch = dict[str, Any]
Transform = Callable[..., Batch]
Batching = Callable[[int, "torch.Generator"], "Sequence[torch.Tensor]"]


@dataclass
class Data:
    """Splits of samples, and what others need to know of them.

    A batch may nest: lists of pictures of several sizes, dicts in dicts.

    A map-style split may have attributes that the core uses: `batch_transform(batch, generator) -> batch`, done to
    training batches on the device, and given `epoch` (from 0), too, where it has a parameter of that name;
    `set_epoch(epoch)`, called before each training sample is taken; `batch(indices) -> batch`, the samples of these
    indices as one batch, which saves their collation where nothing is drawn at random; `batching`, `strata`, `groups`
    and `names`, as `TensorSplit` has them; and `plain`, the same samples without the augmentation of single ones, for
    cross-validation.

    Args:
        splits: by name (`train`, `val`, `test`): map-style datasets of dict samples, or `TensorSplit`.
        facts: what a model, loss or task takes by the same parameter name: `{"num_classes": 3}`.
        assets: what must travel with the weights, as JSON values: `{"classes": ["cat", "dog"], "preprocess": {...}}`.
        submission: a CSV file that shows the form in which a competition wants predictions.
        columns: what a sample and its answer are called in a table of predictions that no such file shapes.
    """

    splits: Mapping[str, Any]
    facts: Mapping[str, Any] = field(default_factory=dict)
    assets: Mapping[str, Any] = field(default_factory=dict)
    submission: str | None = None
    columns: tuple[str, str] = ("name", "prediction")


class TensorSplit:
    """A split that is whole tensors in memory, kept on the device and batched there: no worker, no collate.

    Args:
        transform: `transform(batch, generator) -> batch`, called on every training batch, on the device; its random
            draws come from the generator (which lives on the batch's device) and so from (seed, step) alone. A
            transform with a third parameter `epoch` is told the epoch, from 0.
        batching: `batching(size, generator)` -> the samples of each training batch of an epoch, as tensors of indices,
            where a random order will not do (text in its order, sentences of one length together). Whatever it draws,
            there are as many batches in every epoch.
        strata, groups: one value a sample, for cross-validation.
        names: what each sample is called in a file of predictions.
        tensors: named tensors of equal first dimension: `TensorSplit(input=x, label=y)`.
    """

    def __init__(
        self,
        *,
        transform: Transform | None = None,
        batching: Batching | None = None,
        strata: Sequence[Any] | None = None,
        groups: Sequence[Any] | None = None,
        names: Sequence[str] | None = None,
        **tensors: torch.Tensor,
    ) -> None:
        sizes = {name: len(tensor) for name, tensor in tensors.items()}
        if len(set(sizes.values())) != 1:
            raise ValueError(f"a TensorSplit needs tensors of one length, not {sizes or 'none'}")
        self.tensors = tensors
        self.transform = transform
        self.batching = batching
        self.strata = strata
        self.groups = groups
        self.names = names
        self._size = next(iter(sizes.values()))

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, index: int) -> dict[str, Any]:
        """One sample, without the transform."""
        return {name: tensor[index] for name, tensor in self.tensors.items()}
