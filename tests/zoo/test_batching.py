"""Which samples go together, in which order, and what is drawn for them at random."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import default_collate

from zoo.data import TensorSplit
from zoo.tasks import Task
from zoo.training.batches import make_batches

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


def collated(samples: list[dict[str, Any]]) -> dict[str, Any]:
    return {"x": torch.stack([sample["x"] for sample in samples])}


def read(
    split: Any, epoch: int, first: int = 0, training: bool = True, size: int = 4, seed: int = 3
) -> list[list[int]]:
    batches = make_batches(split, size, CPU, collated, seed=seed, training=training)
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


# Order


class Listed(list[dict[str, Any]]):
    """Samples in a list that can have attributes."""


class Numbered(Listed):
    """Samples that are asked for as whole batches."""

    def batch(self, indices: torch.Tensor) -> dict[str, Any]:
        return {"x": indices}


NUMBERS = [{"x": torch.tensor(index)} for index in range(12)]
PLAIN = {
    "tensors": TensorSplit(x=torch.arange(12)),
    "samples": Listed(NUMBERS),
    "whole batches": Numbered(NUMBERS),
}


@pytest.mark.parametrize("split", PLAIN.values(), ids=PLAIN.keys())
def test_each_epoch_goes_through_all_samples_in_an_order_of_its_own(split: Any) -> None:
    """By hand: 12 samples in batches of 5; no order comes again in another epoch, or from another seed."""
    epochs = [read(split, epoch, size=5) for epoch in (0, 1, 2)]
    assert all([len(batch) for batch in epoch] == [5, 5, 2] for epoch in epochs)
    several = [*epochs, read(split, 0, size=5, seed=4)]
    orders = [[index for batch in epoch for index in batch] for epoch in several]
    assert all(sorted(samples) == list(range(12)) for samples in orders)
    assert len({tuple(samples) for samples in (*orders, range(12))}) == 5
    assert read(split, 1, size=5) == epochs[1]
    assert read(split, 1, first=2, size=5) == epochs[1][2:]


@pytest.mark.parametrize("split", PLAIN.values(), ids=PLAIN.keys())
def test_the_last_batch_is_what_remains(split: Any) -> None:
    assert read(split, 0, training=False, size=5) == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [10, 11]]
    assert read(split, 3, first=2, training=False, size=5) == [[10, 11]]
    cases = ((False, True, 5, 3), (True, False, 5, 3), (True, True, 5, 2), (True, True, 20, 1))
    for training, fixed, size, count in cases:
        batches = make_batches(split, size, CPU, collated, training=training, fixed=fixed)
        assert len(batches) == len(list(batches.epoch(0))) == count


# Random draws


def noted(batch: dict[str, Any], generator: torch.Generator) -> dict[str, Any]:
    """The batch, with what the generator draws beside it."""
    return {**batch, "draw": torch.rand(1, generator=generator)}


def with_draws(kind: str) -> Any:
    """A split of twelve numbers whose transform notes its draws."""
    if kind == "tensors":
        return TensorSplit(x=torch.arange(12), transform=noted)
    split: Any = (Numbered if kind == "whole batches" else Listed)(NUMBERS)
    split.batch_transform = noted
    return split


@pytest.mark.parametrize("kind", PLAIN)
def test_the_draws_of_a_transform_follow_from_seed_epoch_and_batch(kind: str) -> None:
    """The draws are compared, not the batches, which differ by their order; also where an epoch is entered late."""

    def draws(epoch: int, first: int = 0, seed: int = 3) -> list[float]:
        batches = make_batches(with_draws(kind), 3, CPU, collated, seed=seed, training=True)
        return [batch["draw"].item() for batch in batches.epoch(epoch, first)]

    several = [draws(0), draws(1), draws(2), draws(0, seed=4)]
    assert len({draw for epoch in several for draw in epoch}) == 4 * 4
    assert draws(1) == several[1]
    assert [draws(1, first=first) for first in (1, 2, 3)] == [several[1][first:] for first in (1, 2, 3)]


@pytest.mark.parametrize("kind", PLAIN)
def test_nothing_is_transformed_in_scoring(kind: str) -> None:
    batches = make_batches(with_draws(kind), 5, CPU, collated)
    assert [set(batch) for batch in batches.epoch(0)] == [{"x"}] * 3


class Random(Samples):
    """Samples with a draw of each global generator."""

    batching = None  # type: ignore[assignment]

    def __getitem__(self, index: int) -> dict[str, Any]:
        draws = [torch.rand(1).item(), random.random(), float(np.random.rand())]
        return {"x": torch.tensor(index), "draws": torch.tensor(draws, dtype=torch.float64)}


def test_the_draws_of_a_sample_follow_from_seed_epoch_and_index() -> None:
    """Wherever the sample stands in its epoch, and however many are in a batch; those outside go on undisturbed."""

    def draws(epoch: int, seed: int = 3, size: int = 4, first: int = 0) -> dict[int, tuple[float, ...]]:
        batches = make_batches(Random(), size, CPU, default_collate, seed=seed, training=True)
        return {
            index: tuple(own)
            for batch in batches.epoch(epoch, first)
            for index, own in zip(batch["x"].tolist(), batch["draws"].tolist(), strict=True)
        }

    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    several = [draws(0), draws(1), draws(2), draws(0, seed=4)]
    assert torch.equal(torch.rand(1), expected)
    for place in range(3):
        assert len({own[place] for epoch in several for own in epoch.values()}) == 4 * 12
    assert draws(1) == draws(1, size=5) == several[1]
    late = draws(1, first=2)
    assert len(late) == 4 and all(several[1][index] == own for index, own in late.items())


def test_the_size_of_a_batch_is_that_of_its_first_tensor_with_dimensions() -> None:
    assert Task().batch_size({"names": ["a", "b", "c"], "rate": torch.tensor(0.5), "x": torch.zeros(2, 9)}) == 2
    assert Task().batch_size({"rate": 1, "pictures": [torch.zeros(3, 4), torch.zeros(3, 5)], "n": {"y": (1,)}}) == 2
    assert Task().batch_size({"inside": {"pictures": [torch.zeros(3)] * 4, "x": torch.zeros(5)}}) == 5


def test_a_transform_may_be_told_the_epoch() -> None:
    def marked(batch: dict[str, Any], generator: torch.Generator, epoch: int) -> dict[str, Any]:
        return {**batch, "epoch": epoch}

    batches = make_batches(TensorSplit(x=torch.arange(5), transform=marked), 2, CPU, Task().collate, training=True)
    assert [batch["epoch"] for epoch in (0, 3) for batch in batches.epoch(epoch)] == [0, 0, 0, 3, 3, 3]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_split_may_be_told_the_epoch_before_each_sample(workers: int) -> None:
    """In workers, too, each of which has a split of its own and outlives an epoch."""

    class Told(torch.utils.data.Dataset[Any]):
        epoch = -1

        def set_epoch(self, epoch: int) -> None:
            self.epoch = epoch

        def __len__(self) -> int:
            return 4

        def __getitem__(self, index: int) -> dict[str, Any]:
            return {"epoch": self.epoch}

    batches = make_batches(Told(), 2, CPU, Task().collate, training=True, workers=workers)
    assert [batch["epoch"].tolist() for epoch in (0, 3) for batch in batches.epoch(epoch)] == [
        [0, 0],
        [0, 0],
        [3, 3],
        [3, 3],
    ]
    scored = make_batches(Told(), 2, CPU, Task().collate)
    assert next(iter(scored.epoch(0)))["epoch"].tolist() == [-1, -1]
