"""Labelled pictures as splits: what is held out, what is augmented, and what does not fit in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from tests.vision.leaves import CLASSES, read, write
from zoo import InputError, Task
from zoo.training.batches import make_batches
from zoo_vision import picture_files


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.mark.parametrize("memory", [1 << 30, 0])
def test_training_pictures_alone_are_augmented(leaves: Path, monkeypatch: pytest.MonkeyPatch, memory: int) -> None:
    """Whether they fit in memory or not: the same batches for a seed, others in the next epoch, none held out."""
    monkeypatch.setattr(picture_files, "MEMORY", memory)
    data = read(leaves, augment=("flip", "color"), split="grouped" if memory else "stratified", seed=2)

    def epoch(split: str, number: int, training: bool) -> torch.Tensor:
        own = data.splits[split]
        batches = make_batches(own, 24, torch.device("cpu"), Task().collate, seed=5, training=training)
        return next(batches.epoch(number))["input"]

    first, again, second = (epoch("train", number, training=True) for number in (0, 0, 1))
    assert torch.equal(first, again)
    plain = epoch("train", 0, training=False)
    for pictures in (first, second):
        found = {picture.numpy().tobytes() for picture in pictures}
        assert found.isdisjoint(picture.numpy().tobytes() for picture in plain)
    assert {picture.numpy().tobytes() for picture in first} != {picture.numpy().tobytes() for picture in second}
    for split in ("val", "test"):
        assert torch.equal(
            epoch(split, 0, training=True), epoch(split, 3, training=False)[order_of(data.splits[split])]
        )
    for split in ("train", "val"):
        assert data.splits[split].strata == [
            int(sample["label"]) for sample in map(data.splits[split].__getitem__, range(len(data.splits[split])))
        ]


def order_of(split: Any) -> torch.Tensor:
    from zoo.training.randomness import order

    return order(5, 0, len(split))


def test_memory_counts_three_bytes_a_pixel(leaves: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_files, "MEMORY", 30 * 3 * 16 * 16)
    assert hasattr(read(leaves, val_size=0.0).splits["train"], "tensors")
    monkeypatch.setattr(picture_files, "MEMORY", 30 * 3 * 16 * 16 - 1)
    assert not hasattr(read(leaves, val_size=0.0).splits["train"], "tensors")


def test_what_does_not_fit_in_memory_is_read_when_asked_for(leaves: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = read(leaves).splits
    monkeypatch.setattr(picture_files, "MEMORY", 1000)
    for name, split in read(leaves).splits.items():
        assert not hasattr(split, "tensors")
        for index in range(len(split)):
            assert torch.equal(split[index]["input"], whole[name][index]["input"])
    assert "label" not in read(leaves).splits["test"][0]


def test_an_ordered_file_is_not_split_without_shuffling(leaves: Path) -> None:
    """The student's hand-made split: with the classes in order, some are never trained on."""
    assert len(read(leaves, split="last").splits["val"]) == 6
    rows = sorted((leaves / "train.csv").read_text().split()[1:], key=lambda row: row.split(",")[1])
    write(leaves / "train.csv", "image,label", rows)
    with pytest.raises(InputError, match="ordered by class"):
        read(leaves, split="last", val_size=0.4)
    for split in ("stratified", "random", "grouped"):
        read(leaves, split=split)


def test_a_grouped_split_keeps_duplicates_on_one_side(leaves: Path) -> None:
    for number in range(0, 30, 6):
        with Image.open(leaves / f"images/{number}.png") as picture:
            picture.save(leaves / f"images/copy{number}.png")
    with (leaves / "train.csv").open("a") as file:
        file.writelines(f"images/copy{number}.png,{CLASSES[number % 3]}\n" for number in range(0, 30, 6))
    for seed in range(5):
        data = read(leaves, split="grouped", seed=seed)
        held = set(data.splits["val"].names)
        for number in range(0, 30, 6):
            assert (f"images/{number}.png" in held) == (f"images/copy{number}.png" in held)
        assert set(data.splits["train"].groups).isdisjoint(data.splits["val"].groups)
    whole = read(leaves, split="grouped", val_size=0.0).splits["train"]  # for cross-validation
    assert len(set(whole.groups)) == 30 and len(whole) == 35


def test_the_share_and_the_seed_choose_what_is_held_out(leaves: Path) -> None:
    """By each way of choosing, but for the last part of the list, which is what it is."""
    for split in ("stratified", "grouped", "random"):
        for share in (0.2, 0.5):
            draws = [
                tuple(read(leaves, split=split, val_size=share, seed=seed).splits["val"].names) for seed in (0, 1, 0)
            ]
            assert draws[0] == draws[2] != draws[1], split
            assert len(draws[0]) == pytest.approx(30 * share, abs=2)
            assert draws[0] != tuple(f"images/{n}.png" for n in range(30 - len(draws[0]), 30))
    last = read(leaves, split="last", val_size=0.1).splits
    assert last["val"].names == [f"images/{number}.png" for number in (27, 28, 29)]
    assert last["train"].names == [f"images/{number}.png" for number in range(27)]
    assert last["val"].tensors["label"].tolist() == [0, 1, 2]
