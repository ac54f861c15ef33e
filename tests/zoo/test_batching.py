"""A split that says which samples go together."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from zoo.batches import make_batches
from zoo.data import TensorSplit

CPU = torch.device("cpu")


def pairs(size: int, generator: torch.Generator) -> list[torch.Tensor]:
    """0 with 1, 2 with 3 ..., in random order."""
    both = list(torch.arange(12).view(6, 2))
    return [both[index] for index in torch.randperm(6, generator=generator).tolist()]


class Samples(torch.utils.data.Dataset[Any]):
    def __len__(self) -> int:
        return 12

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"x": torch.tensor(index)}

    batching = staticmethod(pairs)


class Whole(Samples):
    """Its samples are never asked for one by one."""

    def __getitem__(self, index: int) -> dict[str, Any]:
        raise AssertionError

    def batch(self, indices: torch.Tensor) -> dict[str, Any]:
        return {"x": indices}


SPLITS = {
    "tensors": TensorSplit(x=torch.arange(12), batching=pairs),
    "samples": Samples(),
    "whole batches": Whole(),
}


def read(split: Any, epoch: int, first: int = 0, training: bool = True) -> list[list[int]]:
    def collate(samples: list[dict[str, Any]]) -> dict[str, Any]:
        return {"x": torch.stack([sample["x"] for sample in samples])}

    batches = make_batches(split, 4, CPU, collate, seed=3, training=training)
    return [batch["x"].tolist() for batch in batches.epoch(epoch, first)]


@pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS.keys())
def test_training_batches_are_the_splits_own(split: Any) -> None:
    """Another order in another epoch, the same in the same one, wherever it is entered."""
    batches = read(split, 0)
    assert sorted(batches) == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9], [10, 11]]
    assert read(split, 1) != batches == read(split, 0)
    assert read(split, 0, first=4) == batches[4:]


class Doubled(Whole):
    def batch_transform(self, batch: dict[str, Any], generator: torch.Generator) -> dict[str, Any]:
        return {"x": 2 * batch["x"]}


def test_whole_batches_are_transformed_in_training_alone() -> None:
    assert sorted(read(Doubled(), 0))[1] == [4, 6]
    assert read(Doubled(), 0, training=False)[0] == [0, 1, 2, 3]


@pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS.keys())
def test_scoring_goes_through_the_samples_as_they_come(split: Any) -> None:
    assert read(split, 0, training=False) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]


def test_another_number_of_batches_in_another_epoch_is_an_error() -> None:
    """The schedule and the place where a run is resumed are counted in batches."""
    sizes = iter([4, 3])
    split = TensorSplit(x=torch.arange(12), batching=lambda *_: list(torch.arange(12).split(next(sizes))))
    with pytest.raises(RuntimeError, match="3 batches in one epoch and 4 in another"):
        read(split, 1)
