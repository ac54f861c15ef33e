"""Cross-validation: every sample is held out once, no fold knows of another, and stopping changes nothing."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import Command
from tests.zoo.training import RECIPE, Recorder, left, run, terminate, weights
from zoo import Data, InputError, Stopped, TensorSplit
from zoo.jobs.listeners import RunInfo
from zoo.jobs.predict import predict_split
from zoo.jobs.recipe import resume
from zoo.jobs.score import score
from zoo.runs.folds import fold_folders, fold_numbers, fold_of, mean_of
from zoo.runs.weights import read_tensors

SMALL = {"epochs": 2, "folds": 3}


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
    for fold in range(1, folds + 1):
        splits = fold_of(whole, folds, fold, seed).splits
        train, own = (splits[name].tensors["x"].tolist() for name in ("train", "val"))
        assert sorted(train + own) == list(range(count))
        assert splits["train"].transform is not None and splits["val"].transform is None
        assert splits["val"].names == [str(number) for number in own]
        assert ((fold_numbers(whole, folds, seed) == fold).nonzero().flatten()).tolist() == own
        held += own
    assert sorted(held) == list(range(count))


@settings(deadline=None, max_examples=25)
@given(counts=st.lists(st.integers(6, 30), min_size=2, max_size=4), seed=st.integers(0, 99))
def test_folds_have_the_strata_in_equal_proportion(counts: list[int], seed: int) -> None:
    strata = [label for label, count in enumerate(counts) for _ in range(count)]
    numbers = fold_numbers(data(len(strata), strata), 3, seed).tolist()
    for label, count in enumerate(counts):
        own = Counter(number for number, stratum in zip(numbers, strata, strict=True) if stratum == label)
        assert all(abs(own[fold] - count / 3) < 1 for fold in (1, 2, 3))


@given(groups=st.lists(st.integers(0, 8), min_size=20, max_size=40).filter(lambda groups: len(set(groups)) > 4))
@settings(deadline=None, max_examples=25)
def test_a_group_is_in_one_fold(groups: list[int]) -> None:
    for strata in (None, [number % 2 for number in range(len(groups))]):
        numbers = fold_numbers(data(len(groups), strata, groups), 3, 0).tolist()
        assert len({(group, number) for group, number in zip(groups, numbers, strict=True)}) == len(set(groups))


class Drawn(torch.utils.data.Dataset[Any]):
    """Samples that are changed when asked for, unless they are plain."""

    def __init__(self, plain: bool = False) -> None:
        self.is_plain = plain

    @property
    def plain(self) -> Drawn:
        return Drawn(plain=True)

    def __len__(self) -> int:
        return 9

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"x": index, "plain": self.is_plain}


def test_samples_that_are_held_out_are_not_augmented() -> None:
    """Also where train and val are put together first, and where they are divided for the second time."""
    whole = Data(splits={"train": Drawn(), "val": Drawn(plain=True)})
    for one in (whole, Data(splits={"train": Drawn()})):
        for fold in (1, 2, 3):
            splits = fold_of(one, 3, fold, 0).splits
            assert all(sample["plain"] for sample in map(splits["val"].__getitem__, range(len(splits["val"]))))
            assert not all(sample["plain"] for sample in map(splits["train"].__getitem__, range(len(splits["train"]))))


def test_a_transform_of_batches_stays_with_what_is_trained_on() -> None:
    """In a map-style split: the training part has it, the part that is held out has not."""
    drawn = Drawn()
    drawn.batch_transform = lambda batch, generator: batch  # type: ignore[attr-defined]
    for whole in (Data({"train": drawn}), Data({"train": drawn, "val": drawn})):
        splits = fold_of(whole, 3, 2, 0).splits
        assert splits["train"].batch_transform is drawn.batch_transform  # type: ignore[attr-defined]
        assert splits["val"].batch_transform is None


def test_what_is_held_out_is_not_transformed_where_there_is_no_plain_split() -> None:
    class Transformed(list[dict[str, Any]]):
        batch_transform = staticmethod(lambda batch, generator: batch)

    splits = fold_of(Data({"train": Transformed([{"x": index} for index in range(6)])}), 3, 1, 0).splits
    assert splits["train"].batch_transform is not None and splits["val"].batch_transform is None


def test_columns_of_train_stand_before_those_of_val() -> None:
    """The strata and groups of what is put together are still those of its samples; where val has none, none are."""
    strata = [number % 3 for number in range(12)]
    splits = fold_of(data(12, strata, val=3), 3, 1, 0).splits
    for split in splits.values():
        assert split.strata == [number % 3 for number in split.tensors["x"].tolist()]
    whole = data(12, strata, val=3)
    whole.splits["val"].strata = None
    assert fold_of(whole, 3, 1, 0).splits["train"].strata is None


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


def test_other_splits_stay() -> None:
    whole = data(9)
    test = TensorSplit(x=torch.arange(2))
    divided = fold_of(Data({**whole.splits, "test": test}, facts={"a": 1}, assets={"b": 2}), 3, 1, 0)
    assert divided.splits["test"] is test
    assert (divided.facts, divided.assets) == ({"a": 1}, {"b": 2})


def test_splits_that_are_not_alike_cannot_be_put_together() -> None:
    whole = Data({"train": TensorSplit(x=torch.arange(6), y=torch.arange(6)), "val": TensorSplit(x=torch.arange(3))})
    with pytest.raises(InputError, match=r"not alike\n.*`train` has `x`, `y`, and `val` `x`"):
        fold_of(whole, 3, 1, 0)


def test_folders_of_folds_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("fold-10", "fold-2", "fold-1", "fold-x", "folder"):
        (tmp_path / name).mkdir()
    assert [folder.name for folder in fold_folders(tmp_path)] == ["fold-1", "fold-2", "fold-10"]
    assert fold_folders(tmp_path / "fold-1") == []


def test_answers_of_folds_are_averaged() -> None:
    assert mean_of([torch.tensor([1.0, 2.0]), torch.tensor([3.0, 6.0])]).tolist() == [2.0, 4.0]
    with pytest.raises(InputError, match="no tensors cannot be averaged"):
        mean_of([torch.ones(1), "text"])


def test_what_cannot_be_divided_is_named() -> None:
    assert len(fold_of(data(3), 3, 1, 0).splits["val"]) == 1  # as few as folds
    with pytest.raises(InputError, match="`7` has a single sample"):
        fold_of(data(9, [1, 1, 1, 1, 2, 2, 2, 2, 7]), 3, 1, 0)
    with pytest.raises(InputError, match="5 samples cannot"):
        fold_of(data(5), 6, 1, 0)
    with pytest.raises(InputError, match="folds 1 to 3"):
        fold_of(data(9), 3, 4, 0)


# The job


@pytest.mark.usefixtures("probe_parts")
class TestJob:
    def test_a_fold_is_what_its_own_recipe_makes(self, tmp_path: Path) -> None:
        """Nothing goes over from one fold to the next: fold 3 alone ends with the same bytes."""
        run(tmp_path / "all", **SMALL)
        run(tmp_path / "third", **SMALL, fold=3)
        assert left(tmp_path / "all" / "fold-3") == left(tmp_path / "third")
        assert not torch.equal(*(weights(tmp_path / "all" / f"fold-{n}")["body.weight"] for n in (1, 2)))

    def test_figures_are_means_over_folds_and_over_all_predictions(self, tmp_path: Path) -> None:
        figures = run(tmp_path / "all", **SMALL)["figures"]
        own = [score(tmp_path / "all" / f"fold-{n}")["figures"]["val/loss"] for n in (1, 2, 3)]
        assert figures["val/loss"] == pytest.approx(sum(own) / 3)
        assert figures["val/loss_std"] == pytest.approx(float(torch.tensor(own).std()))
        tensors, _ = read_tensors(tmp_path / "all" / "out_of_fold.safetensors")
        held = {n: int((tensors["fold"] == n).sum()) for n in (1, 2, 3)}
        weighted = sum(loss * held[n] for n, loss in enumerate(own, 1)) / sum(held.values())
        assert figures["out_of_fold/loss"] == pytest.approx(weighted)
        assert sorted(tensors["index"].tolist()) == list(range(sum(held.values())))
        assert len(tensors["prediction"]) == sum(held.values())

    def test_every_fold_is_scored_on_what_it_held_out(self, tmp_path: Path) -> None:
        """Split `val` of a cross-validation is another one in each fold; together they are `out_of_fold`."""
        figures = run(tmp_path / "all", **SMALL)["figures"]
        for split in (None, "val"):
            scored = score(tmp_path / "all", split=split)
            assert scored["split"] == "out_of_fold"
            assert scored["figures"] == {"out_of_fold/loss": pytest.approx(figures["out_of_fold/loss"])}

    def test_what_is_held_out_is_scored_whatever_the_recipe_scores(self, tmp_path: Path) -> None:
        settings = {"keep": "last", **SMALL}
        usual = run(tmp_path / "usual", **settings)["figures"]
        other = run(tmp_path / "other", {"eval.split": "train"}, **settings)["figures"]
        assert other["out_of_fold/loss"] == usual["out_of_fold/loss"] != other["train/loss"]

    def test_stopped_in_the_second_fold_it_goes_on_there(self, tmp_path: Path) -> None:
        run(tmp_path / "unbroken", **SMALL)
        with pytest.raises(Stopped):
            run(tmp_path / "stopped", listener=_StopsInFold(2), **SMALL)
        assert (tmp_path / "stopped" / "fold-1" / "results.json").exists()
        assert not (tmp_path / "stopped" / "fold-2" / "results.json").exists()
        figures = resume(tmp_path / "stopped")["figures"]
        assert figures == json.loads((tmp_path / "unbroken" / "results.json").read_bytes())["figures"]
        for fold in (1, 2, 3):
            assert left(tmp_path / "stopped" / f"fold-{fold}") == left(tmp_path / "unbroken" / f"fold-{fold}")

    def test_the_recipe_that_is_left_repeats_it(self, tmp_path: Path) -> None:
        import zoo

        first = run(tmp_path / "first", **SMALL)["figures"]
        assert zoo.run(tmp_path / "first" / "recipe.toml", out=tmp_path / "again")["figures"] == first

    def test_a_dry_run_tries_one_fold(self, zoo: Command) -> None:
        assert zoo("run", RECIPE, "train.folds=3", "--dry-run").status == 0

    def test_a_split_that_differs_from_fold_to_fold_is_not_predicted(self, tmp_path: Path) -> None:
        run(tmp_path / "all", **SMALL)
        with pytest.raises(InputError, match="every fold has a `val` of its own"):
            predict_split(tmp_path / "all", "val")


class _StopsInFold(Recorder):
    """Has the process told to stop after the third step of a fold."""

    def __init__(self, fold: int) -> None:
        super().__init__(lambda number: terminate() if self.now == fold and number == 3 else None)

    def started(self, run: RunInfo) -> None:
        self.now = run.recipe["train"]["fold"]


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
    held = [fold_of(Data({"train": Named()}), 2, number, 0).splits["val"] for number in (1, 2)]
    for split in held:
        assert list(split.names) == ["abcd"[int(split[index]["input"])] for index in range(len(split))]
