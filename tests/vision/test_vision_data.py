"""Data sets in memory: their files, splits and facts."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from zoo import InputError, TensorSplit
from zoo_vision.cifar10 import RECORD, cifar10
from zoo_vision.digits import digits
from zoo_vision.fashion_mnist import DEBIAN, fashion_mnist
from zoo_vision.gaussian_linear import gaussian_linear
from zoo_vision.idx import read_idx
from zoo_vision.picture_data import hold_out


def idx(values: torch.Tensor) -> bytes:
    shape = b"".join(side.to_bytes(4, "big") for side in values.shape)
    return bytes([0, 0, 8, values.dim()]) + shape + values.numpy().tobytes()


@pytest.fixture
def clothes(tmp_path: Path) -> Path:
    """Forty training and twenty test pictures in Fashion-MNIST's files, one of them not gzipped."""
    for prefix, count in (("train", 40), ("t10k", 20)):
        pictures = torch.arange(count * 28 * 28).remainder(251).to(torch.uint8).view(count, 28, 28)
        labels = torch.arange(count).remainder(10).to(torch.uint8)
        (tmp_path / f"{prefix}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(pictures)))
        (tmp_path / f"{prefix}-labels-idx1-ubyte").write_bytes(idx(labels))
    return tmp_path


def test_fashion_mnist_from_its_files(clothes: Path) -> None:
    data = fashion_mnist(str(clothes), val_size=0.25)
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 30, "test": 20, "val": 10}
    assert sorted(data.splits["val"].tensors["label"].tolist()) == list(range(10))
    assert data.assets["classes"][2:4] == ["pullover", "dress"] and data.assets["classes"][6:8] == ["shirt", "sneaker"]
    sample = data.splits["test"][3]
    assert sample["input"].shape == (1, 28, 28) and sample["label"] == 3
    assert int(sample["input"][0, 0, 1]) == (3 * 28 * 28 + 1) % 251
    assert data.facts["num_inputs"] == 784 and data.facts["channels"] == 1


def test_the_network_may_be_shown_other_sizes_and_colours(clothes: Path) -> None:
    data = fashion_mnist(str(clothes), size=(96, 64), rgb=True)
    assert data.facts["input_size"] == [96, 64] and data.facts["channels"] == 3
    assert len(data.assets["preprocess"]["mean"]) == 3
    assert data.facts["num_inputs"] == 3 * 96 * 64 and data.assets["preprocess"]["size"] == [96, 64]
    assert data.splits["train"][0]["input"].shape == (1, 28, 28)


def test_without_a_share_there_is_no_val(clothes: Path) -> None:
    assert set(fashion_mnist(str(clothes), val_size=0.0).splits) == {"train", "test"}
    few = fashion_mnist(str(clothes), val_size=0.0, train_size=7)
    assert few.splits["train"].tensors["label"].tolist() == list(range(7)) and len(few.splits["test"]) == 20


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "neither"),
        (b"no gzip", "unpacked"),
        (gzip.compress(b"\0\0\x08"), "no idx file"),
        (gzip.compress(bytes([0, 0, 8, 1, 0, 0, 0, 9, 1])), "cut short"),
        (gzip.compress(bytes([0, 0, 13, 1, 0, 0, 0, 1, 1])), "no idx file of bytes"),
        (gzip.compress(idx(torch.zeros(5, dtype=torch.uint8)))[:-6], "unpacked"),
    ],
)
def test_damaged_idx_files_are_named(tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "labels.gz").write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        read_idx(tmp_path, "labels")
    assert "labels" in str(error.value)


def test_the_real_fashion_mnist_if_it_is_here() -> None:
    places = [DEBIAN, os.path.join(os.environ.get("ZOO_DATA", ""), "fashion-mnist")]
    found = next((place for place in places if os.path.isdir(place)), None)
    if found is None:
        pytest.skip("Fashion-MNIST is not on this machine: Debian's package dataset-fashion-mnist has it")
    data = fashion_mnist(found)
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 54_000, "val": 6_000, "test": 10_000}
    pixels = data.splits["train"].tensors["input"].float() / 255
    assert float(pixels.mean()) == pytest.approx(data.assets["preprocess"]["mean"][0], abs=0.001)
    assert float(pixels.std()) == pytest.approx(data.assets["preprocess"]["std"][0], abs=0.001)


@pytest.mark.parametrize("name", ["fashion_mnist", "digits", "cifar10"])
def test_training_pictures_alone_are_augmented_and_the_seed_chooses_what_is_held_out(
    name: str, clothes: Path, photographs: Path
) -> None:
    places = {"fashion_mnist": {"root": str(clothes)}, "cifar10": {"root": str(photographs)}, "digits": {}}
    build = {"fashion_mnist": fashion_mnist, "digits": digits, "cifar10": cifar10}[name]

    def splits(seed: int) -> dict[str, TensorSplit]:
        return build(**places[name], val_size=0.25, augment=("flip",), seed=seed).splits

    first, same, other = splits(3), splits(3), splits(4)
    assert [split for split in first if first[split].transform] == ["train"]
    assert first["train"].transform.changes == ("flip",)
    for split in first:
        assert first[split].strata == first[split].tensors["label"].tolist()
        assert torch.equal(first[split].tensors["input"], same[split].tensors["input"])
    assert not torch.equal(first["val"].tensors["input"], other["val"].tensors["input"])
    whole = torch.cat([first[split].tensors["input"].flatten(1) for split in first]).unique(dim=0)
    again = torch.cat([other[split].tensors["input"].flatten(1) for split in other]).unique(dim=0)
    assert torch.equal(whole, again)  # in other splits, but the same


def test_without_a_word_fashion_mnist_and_digits_are_not_augmented(clothes: Path, photographs: Path) -> None:
    assert fashion_mnist(str(clothes)).splits["train"].transform is None
    assert digits().splits["train"].transform is None
    assert cifar10(str(photographs)).splits["train"].transform.changes == ("crop", "flip")


def test_digits_are_scikit_learn_s_in_256_greys() -> None:
    """Each with its label, in whichever split."""
    loaded = load_digits()
    theirs = sorted((picture.tobytes(), label) for picture, label in zip(loaded.images, loaded.target, strict=True))
    ours = []
    for split in digits().splits.values():
        pixels = split.tensors["input"].squeeze(1).double() / 255 * 16
        assert float((pixels - pixels.round()).abs().max()) < 0.032  # half a grey
        for picture, label in zip(pixels.round().numpy(), split.tensors["label"].tolist(), strict=True):
            ours.append((picture.tobytes(), label))
    assert sorted(ours) == theirs


def test_digits_of_other_shares_and_in_three_channels() -> None:
    data = digits(val_size=0.0, test_size=0.5, rgb=True, size=(16, 12))
    assert {name: round(len(split) / 1797, 2) for name, split in data.splits.items()} == {"test": 0.5, "train": 0.5}
    assert data.facts == {
        "num_classes": 10, "num_outputs": 10, "num_inputs": 3 * 16 * 12, "channels": 3, "input_size": [16, 12],
    }  # fmt: skip
    assert [len(data.assets["preprocess"][name]) for name in ("mean", "std")] == [3, 3]


def test_digits_are_split_class_by_class() -> None:
    data = digits()
    whole = torch.bincount(torch.from_numpy(load_digits().target))
    assert sum(map(len, data.splits.values())) == len(load_digits().target) == 1797
    for name, share in (("train", 0.6), ("val", 0.2), ("test", 0.2)):
        counts = torch.bincount(data.splits[name].tensors["label"])
        assert counts.tolist() == pytest.approx((share * whole).tolist(), abs=1), name
    pixels = data.splits["train"].tensors["input"]
    assert int(pixels.max()) == 255
    assert float(pixels.float().mean()) / 255 == pytest.approx(data.assets["preprocess"]["mean"][0], abs=0.005)
    assert float((pixels / 255).std()) == pytest.approx(data.assets["preprocess"]["std"][0], abs=0.005)


def test_digits_of_different_splits_are_different_samples() -> None:
    whole = torch.cat([split.tensors["input"].flatten(1) for split in digits().splits.values()])
    assert len(whole.unique(dim=0)) == len(torch.from_numpy(load_digits().data).unique(dim=0))


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Fifty training and ten test pictures in CIFAR-10's binary files: a label, then all red, all green, all blue."""
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    generator = torch.Generator().manual_seed(0)
    for name in [*(f"data_batch_{n}.bin" for n in range(1, 6)), "test_batch.bin"]:
        records = torch.randint(0, 256, (10, RECORD), dtype=torch.uint8, generator=generator)
        records[:, 0] = torch.arange(10)
        (folder / name).write_bytes(records.numpy().tobytes())
    return tmp_path


def test_cifar10_from_its_binary_files(photographs: Path) -> None:
    """Pixel by pixel; mean and deviation are those that are published for the training pictures."""
    folder = photographs / "cifar-10-batches-bin"
    data = cifar10(str(photographs), val_size=0.2)
    assert {name: len(split) for name, split in data.splits.items()} == {"val": 10, "train": 40, "test": 10}
    record = (folder / "test_batch.bin").read_bytes()[4 * 3073 :]
    sample = data.splits["test"][4]
    assert sample["label"] == 4 and sample["input"].shape == (3, 32, 32)
    for channel, row, column in ((0, 0, 5), (1, 7, 0), (2, 31, 30)):
        assert int(sample["input"][channel, row, column]) == record[1 + channel * 1024 + row * 32 + column]
    assert data.assets["preprocess"] == {
        "size": [32, 32], "mean": [0.4914, 0.4822, 0.4465], "std": [0.2470, 0.2435, 0.2616],
    }  # fmt: skip
    assert set(cifar10(str(photographs), val_size=0.0).splits) == {"train", "test"}


def test_damaged_files_of_cifar10_are_named(photographs: Path) -> None:
    folder = photographs / "cifar-10-batches-bin"
    for content in (b"cut short", b"", bytes([200] * RECORD)):
        (folder / "data_batch_3.bin").write_bytes(content)
        with pytest.raises(InputError, match=r"data_batch_3\.bin|has a label of 200"):
            cifar10(str(photographs))
    (folder / "data_batch_3.bin").unlink()
    with pytest.raises(InputError, match="binary version"):
        cifar10(str(photographs))


def test_gaussian_linear_is_what_it_says() -> None:
    data = gaussian_linear(num_inputs=5, train_size=20_000, weight=2.0, bias=-1.0, noise=0.5)
    tensors = data.splits["train"].tensors
    solved = torch.linalg.lstsq(torch.cat([tensors["input"], torch.ones(20_000, 1)], dim=1), tensors["target"])
    assert solved.solution.flatten().tolist() == pytest.approx([2] * 5 + [-1], abs=0.02)
    rest = tensors["target"] - tensors["input"].sum(dim=1, keepdim=True) * 2 + 1
    assert float(rest.std()) == pytest.approx(0.5, rel=0.03)
    assert torch.equal(tensors["input"], gaussian_linear(5, 20_000, weight=2.0).splits["train"].tensors["input"])
    assert float(rest.mean()) == pytest.approx(0, abs=0.015)


def test_gaussian_linear_by_default_is_the_book_s_overfitting_example() -> None:
    data = gaussian_linear(noise=0.0)
    assert {name: split.tensors["input"].shape for name, split in data.splits.items()} == {
        "train": (20, 200), "val": (100, 200),
    }  # fmt: skip
    for split in data.splits.values():
        expected = 0.01 * split.tensors["input"].sum(dim=1, keepdim=True) + 0.05
        torch.testing.assert_close(split.tensors["target"], expected)
    assert data.facts == {"num_inputs": 200, "num_outputs": 1}
    assert not torch.equal(*(split.tensors["input"][:20] for split in data.splits.values()))
    other = gaussian_linear(noise=0.0, seed=1)
    assert not torch.equal(other.splits["train"].tensors["input"], data.splits["train"].tensors["input"])


@given(labels=st.lists(st.integers(0, 3), min_size=8, max_size=60), share=st.floats(0.05, 0.9), seed=st.integers(0, 99))
def test_holding_out_keeps_every_class_on_both_sides(labels: list[int], share: float, seed: int) -> None:
    classes = ["a", "b", "c", "d"]
    counts = [labels.count(label) for label in range(4)]
    if 1 in counts:
        with pytest.raises(InputError, match="a single sample"):
            hold_out(torch.tensor(labels), share, seed, classes)
        return
    kept, held = hold_out(torch.tensor(labels), share, seed, classes)
    assert kept.tolist() == sorted(kept.tolist()) and held.tolist() == sorted(held.tolist())
    assert sorted([*kept.tolist(), *held.tolist()]) == list(range(len(labels)))
    for label, count in enumerate(counts):
        own = sum(labels[index] == label for index in held.tolist())
        assert own == (0 if count == 0 else min(max(1, round(share * count)), count - 1))


def test_what_is_held_out_is_drawn_anew_for_each_seed() -> None:
    labels = torch.zeros(40, dtype=torch.long)
    draws = {tuple(hold_out(labels, 0.25, seed, ["a"])[1].tolist()) for seed in range(5)}
    assert len(draws) == 5 and tuple(range(10)) not in draws
    assert hold_out(labels, 0.25, 1, ["a"])[1].tolist() == hold_out(labels, 0.25, 1, ["a"])[1].tolist()
