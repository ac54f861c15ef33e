"""One fold of a dataset: every sample is held out once, whatever the samples are."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo import Data, InputError, TensorSplit
from zoo.training.batches import make_batches
from zoo_lab.fold import fold, fold_numbers


def data(count: int, strata: list[int] | None = None, groups: list[int] | None = None, val: int = 0) -> Data:
    def part(start: int, end: int) -> TensorSplit:
        columns = {"strata": strata and strata[start:end], "groups": groups and groups[start:end]}
        names = [str(number) for number in range(start, end)]
        return TensorSplit(x=torch.arange(start, end), names=names, transform=lambda batch, _: batch, **columns)

    splits = {"train": part(0, count - val)}
    return Data(splits={**splits, "val": part(count - val, count)} if val else splits)


@settings(deadline=None, max_examples=40)
@given(count=st.integers(6, 60), folds=st.integers(2, 6), val=st.integers(0, 3), seed=st.integers(0, 2**40))
def test_every_sample_is_held_out_once(count: int, folds: int, val: int, seed: int) -> None:
    whole = data(count, val=val)
    held = []
    for number in range(1, folds + 1):
        splits = fold(whole, number, folds, seed).splits
        train, own = (splits[name].tensors["x"].tolist() for name in ("train", "val"))
        assert sorted(train + own) == list(range(count))
        assert splits["train"].transform is not None and splits["val"].transform is None
        assert splits["val"].names == [str(sample) for sample in own]
        assert ((fold_numbers(whole, folds, seed) == number).nonzero().flatten()).tolist() == own
        held += own
    assert sorted(held) == list(range(count))


@settings(deadline=None, max_examples=25)
@given(counts=st.lists(st.integers(6, 30), min_size=2, max_size=4), seed=st.integers(0, 99))
def test_folds_have_the_strata_in_equal_proportion(counts: list[int], seed: int) -> None:
    strata = [label for label, count in enumerate(counts) for _ in range(count)]
    numbers = fold_numbers(data(len(strata), strata), 3, seed).tolist()
    for label, count in enumerate(counts):
        own = Counter(number for number, stratum in zip(numbers, strata, strict=True) if stratum == label)
        assert all(abs(own[number] - count / 3) < 1 for number in (1, 2, 3))


@given(groups=st.lists(st.integers(0, 8), min_size=20, max_size=40).filter(lambda groups: len(set(groups)) > 4))
@settings(deadline=None, max_examples=25)
def test_a_group_is_in_one_fold(groups: list[int]) -> None:
    for strata in (None, [number % 2 for number in range(len(groups))]):
        numbers = fold_numbers(data(len(groups), strata, groups), 3, 0).tolist()
        assert len({(group, number) for group, number in zip(groups, numbers, strict=True)}) == len(set(groups))


def test_strata_may_be_measurements_texts_or_a_tensor() -> None:
    """scikit-learn refuses to stratify by floats, and compares tensors by identity; only equality counts here."""
    kinds = [[0.5, 1.5] * 15, ["a", "b"] * 15, torch.tensor([0, 1] * 15)]
    divisions = []
    for strata in kinds:
        split = TensorSplit(x=torch.arange(30), strata=strata)  # type: ignore[arg-type]
        divisions.append(fold_numbers(Data({"train": split}), 3, 0).tolist())
    assert divisions[0] == divisions[1] == divisions[2] == fold_numbers(data(30, [0, 1] * 15), 3, 0).tolist()


class Drawn(torch.utils.data.Dataset[Any]):
    """Samples that are changed when asked for, unless they are plain; `offset` tells two splits apart."""

    def __init__(self, plain: bool = False, offset: int = 0) -> None:
        self.is_plain, self.offset, self.epoch = plain, offset, -1

    @property
    def plain(self) -> Drawn:
        return Drawn(plain=True, offset=self.offset)

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return 9

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"x": self.offset + index, "plain": self.is_plain, "epoch": self.epoch}


def test_samples_that_are_held_out_are_not_augmented() -> None:
    """Also where train and val are put together first, and where the plain samples of what is trained on are asked."""
    for whole in (Data({"train": Drawn(), "val": Drawn(plain=True, offset=9)}), Data({"train": Drawn()})):
        held = []
        for number in (1, 2, 3):
            splits = fold(whole, number, 3).splits
            train, val = ([split[index] for index in range(len(split))] for split in splits.values())
            assert all(sample["plain"] for sample in val)
            assert all(sample["plain"] == (sample["x"] >= 9) for sample in train)
            plain = splits["train"].plain
            assert [(plain[index]["x"], plain[index]["plain"]) for index in range(len(plain))] == [
                (sample["x"], True) for sample in train
            ]
            held += [sample["x"] for sample in val]
        assert sorted(held) == list(range(9 * len(whole.splits)))


def test_a_split_is_told_the_epoch_through_a_fold() -> None:
    """`make_batches` asks for `set_epoch` by name: a fold has it where what it wraps has."""
    splits = fold(Data({"train": Drawn(), "val": Drawn(offset=9)}), 1, 3).splits
    batches = make_batches(splits["train"], 4, torch.device("cpu"), lambda samples: {"all": samples}, training=True)
    told = {sample["epoch"] for batch in batches.epoch(5) for sample in batch["all"]}
    assert told == {5}
    assert not hasattr(splits["val"], "set_epoch")
    assert not hasattr(fold(Data({"train": [{"x": 1}] * 6}), 1, 3).splits["train"], "set_epoch")


def test_a_transform_of_batches_stays_with_what_is_trained_on() -> None:
    """In a map-style split: the training part has it, the part that is held out has not."""
    drawn = Drawn()
    drawn.batch_transform = lambda batch, generator: batch  # type: ignore[attr-defined]
    for whole in (Data({"train": drawn}), Data({"train": drawn, "val": Drawn(offset=9)})):
        splits = fold(whole, 2, 3).splits
        assert splits["train"].batch_transform is drawn.batch_transform  # type: ignore[attr-defined]
        assert splits["val"].batch_transform is None


def test_what_is_held_out_is_not_transformed_where_there_is_no_plain_split() -> None:
    class Transformed(list[dict[str, Any]]):
        batch_transform = staticmethod(lambda batch, generator: batch)

    splits = fold(Data({"train": Transformed([{"x": index} for index in range(6)])}), 1, 3).splits
    assert splits["train"].batch_transform is not None and splits["val"].batch_transform is None


class Rows:
    """A map-style split that makes its own batches, of even numbers and of odd ones; `subset` is its `choose`."""

    def __init__(self, numbers: list[int]) -> None:
        self.numbers = numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"x": self.numbers[index]}

    def batching(self, size: int, generator: torch.Generator) -> list[torch.Tensor]:
        return [torch.tensor([i for i, n in enumerate(self.numbers) if n % 2 == odd]) for odd in (0, 1)]


class Divisible(Rows):
    """The same, of which samples can be taken."""

    def subset(self, indices: torch.Tensor) -> Divisible:
        return Divisible([self.numbers[index] for index in indices.tolist()])


def test_batches_that_a_split_makes_hold_samples_of_the_fold_alone() -> None:
    """Each batch is one of even or of odd numbers still, of `train` or of `val`; all of the fold is in one of them."""
    whole = Data({"train": Divisible(list(range(20))), "val": Divisible(list(range(20, 28)))})
    for number in (1, 2):
        splits = fold(whole, number, 2).splits
        train = splits["train"]
        batches = train.batching(3, torch.Generator().manual_seed(0))
        numbers = [[train[index]["x"] for index in batch.tolist()] for batch in batches]
        assert all(len({(n % 2, n < 20) for n in batch}) == 1 for batch in numbers)
        held = [splits["val"][index]["x"] for index in range(len(splits["val"]))]
        assert sorted(sum(numbers, held)) == list(range(28))
        assert splits["val"].batching is None


def test_batches_of_all_samples_together_are_refused() -> None:
    """A text in its order, whose rows go on from batch to batch, cannot be divided; neither can a stranger's split."""
    windows = TensorSplit(x=torch.arange(8), batching=lambda size, _: list(torch.arange(8).split(size)))
    for split in (windows, Rows(list(range(8)))):
        with pytest.raises(InputError, match=r"its `batching` is one of all samples(.|\n)*subset"):
            fold(Data({"train": split}), 1, 2)


def test_boxes_that_are_padded_otherwise_are_divided_all_the_same() -> None:
    """Two splits of tensors, one with at most 3 boxes a picture, one with 2: each sample keeps its own."""
    train = TensorSplit(boxes=torch.arange(24.0).view(4, 3, 2), transform=lambda batch, _: batch)
    val = TensorSplit(boxes=-torch.arange(8.0).view(2, 2, 2))
    for number in (1, 2, 3):
        splits = fold(Data({"train": train, "val": val}), number, 3).splits
        samples = [split[index]["boxes"] for split in splits.values() for index in range(len(split))]
        expected = [*train.tensors["boxes"], *val.tensors["boxes"]]
        assert all(sum(torch.equal(sample, other) for sample in samples) == 1 for other in expected)
        assert splits["train"].batch_transform is train.transform and splits["val"].batch_transform is None


def test_columns_of_train_stand_before_those_of_val() -> None:
    """The strata and groups of what is put together are still those of its samples; where val has none, none are."""
    strata = [number % 3 for number in range(12)]
    splits = fold(data(12, strata, val=3), 1, 3).splits
    for split in splits.values():
        assert split.strata == [number % 3 for number in split.tensors["x"].tolist()]
    whole = data(12, strata, val=3)
    whole.splits["val"].strata = None
    assert fold(whole, 1, 3).splits["train"].strata is None


def test_a_division_follows_from_its_seed() -> None:
    """With and without strata and groups; a seed may have more than 32 bits."""
    columns = {
        "none": {},
        "strata": {"strata": [0, 1] * 15},
        "groups": {"groups": [number // 2 for number in range(30)]},
    }
    for kind, own in columns.items():
        first, again, other, long = (fold_numbers(data(30, **own), 3, seed).tolist() for seed in (1, 1, 2, 2**40 + 2))
        assert first == again != other, kind
        assert other == long, kind


def test_all_else_stays() -> None:
    whole = data(9)
    test = TensorSplit(x=torch.arange(2))
    whole = Data({**whole.splits, "test": test}, {"a": 1}, {"b": 2}, submission="s.csv", columns=("id", "label"))
    divided = fold(whole, 1, 3)
    assert divided.splits["test"] is test
    assert (divided.facts, divided.assets) == ({"a": 1}, {"b": 2})
    assert (divided.submission, divided.columns) == ("s.csv", ("id", "label"))


def test_what_cannot_be_divided_is_named() -> None:
    assert len(fold(data(3), 1, 3).splits["val"]) == 1  # as few as folds
    with pytest.raises(InputError, match="`7` has a single sample"):
        fold(data(9, [1, 1, 1, 1, 2, 2, 2, 2, 7]), 1, 3)
    with pytest.raises(InputError, match="5 samples cannot"):
        fold(data(5), 1, 6)
    with pytest.raises(InputError, match="2 groups, which stay together, cannot"):
        fold(data(8, groups=[0, 1] * 4), 1, 3)
    with pytest.raises(InputError, match="folds 1 to 3"):
        fold(data(9), 4, 3)
    with pytest.raises(InputError, match=r"no split `train`.*test"):
        fold(Data({"test": TensorSplit(x=torch.arange(4))}), 1, 2)
    for others in (TensorSplit(x=torch.arange(3)), [{"x": 1}] * 3):
        whole = Data({"train": TensorSplit(x=torch.arange(6), y=torch.arange(6)), "val": others})
        with pytest.raises(InputError, match=r"not alike\n.*`train` has `x`, `y`, and `val` `x`"):
            fold(whole, 1, 3)


class WithoutNames:
    """Samples as they are, of a plugin whose plain split carries no names."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"input": torch.tensor([float(index)])}


class Named(WithoutNames):
    """The same samples, named and augmented."""

    names = ("a", "b", "c", "d")
    plain = WithoutNames()


def test_what_is_held_out_keeps_its_names() -> None:
    """Also where the samples without augmentation have none of their own."""
    for number in (1, 2):
        split = fold(Data({"train": Named()}), number, 2).splits["val"]
        assert list(split.names) == ["abcd"[int(split[index]["input"])] for index in range(len(split))]


# Real data


@pytest.mark.parametrize(
    "recipe, settings",
    [
        ("ssd", {"dataset.train_size": 24, "dataset.val_size": 8, "dataset.size": 64}),
        ("fcn", {"dataset.train_size": 24, "dataset.val_size": 8, "dataset.size": 64}),
        ("transformer", {"dataset.size": 60, "dataset.val_size": 10}),
    ],
)
def test_boxes_masks_and_pairs_are_divided(recipe: str, settings: dict[str, Any]) -> None:
    """Of the shipped recipes: each held-out sample is the one that its place says, and a step is taken on the rest."""
    import zoo

    opened = zoo.open_recipe(recipe, {**settings, "train.batch_size": 8, "train.device": "cpu"}, quick=True)
    whole = zoo.prepare(opened).data
    samples = [whole.splits[name][index] for name in ("train", "val") for index in range(len(whole.splits[name]))]
    numbers = fold_numbers(whole, 3, 0)
    division = {"name": "lab/fold", "of": opened.table["dataset"], "folds": 3, "fold": 2}
    divided = zoo.prepare(opened, {"dataset": division})
    train, val = divided.data.splits["train"], divided.data.splits["val"]
    assert len(train) + len(val) == len(samples)
    held = (numbers == 2).nonzero().flatten().tolist()
    for place, index in enumerate(held):
        assert val[place].keys() == samples[index].keys()
        for name, value in val[place].items():
            assert (
                value == samples[index][name] if isinstance(value, list) else torch.equal(value, samples[index][name])
            )
    assert torch.isfinite(next(divided.steps()).loss)
