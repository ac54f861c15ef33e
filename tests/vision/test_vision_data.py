"""Data sets in memory: their files, splits and facts."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from zoo import InputError
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
    assert data.splits["val"].tensors["label"].tolist() == list(range(10)) or sorted(
        data.splits["val"].tensors["label"].tolist()
    ) == list(range(10))
    sample = data.splits["test"][3]
    assert sample["input"].shape == (1, 28, 28) and sample["label"] == 3
    assert int(sample["input"][0, 0, 1]) == (3 * 28 * 28 + 1) % 251
    assert data.facts["num_inputs"] == 784 and data.facts["channels"] == 1


def test_the_network_may_be_shown_other_sizes_and_colours(clothes: Path) -> None:
    data = fashion_mnist(str(clothes), size=(96, 64), rgb=True)
    assert data.facts["input_size"] == [96, 64] and data.facts["channels"] == 3
    assert len(data.assets["preprocess"]["mean"]) == 3
    assert data.splits["train"][0]["input"].shape == (1, 28, 28)


def test_without_a_share_there_is_no_val(clothes: Path) -> None:
    assert set(fashion_mnist(str(clothes), val_size=0.0).splits) == {"train", "test"}
    assert len(fashion_mnist(str(clothes), val_size=0.0, train_size=7).splits["train"]) == 7


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


def test_digits_are_split_class_by_class() -> None:
    data = digits()
    assert sum(map(len, data.splits.values())) == 1797
    for name, share in (("train", 0.6), ("val", 0.2), ("test", 0.2)):
        counts = torch.bincount(data.splits[name].tensors["label"])
        assert counts.tolist() == pytest.approx([share * 179.7] * 10, abs=4), name
    pixels = data.splits["train"].tensors["input"]
    assert int(pixels.max()) == 255
    assert float(pixels.float().mean()) / 255 == pytest.approx(data.assets["preprocess"]["mean"][0], abs=0.005)
    assert float((pixels / 255).std()) == pytest.approx(data.assets["preprocess"]["std"][0], abs=0.005)


def test_digits_of_different_splits_are_different_samples() -> None:
    whole = torch.cat([split.tensors["input"].flatten(1) for split in digits().splits.values()])
    from sklearn.datasets import load_digits

    assert len(whole.unique(dim=0)) == len(torch.from_numpy(load_digits().data).unique(dim=0))


def test_cifar10_from_its_binary_files(tmp_path: Path) -> None:
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    generator = torch.Generator().manual_seed(0)
    for number, name in enumerate([*(f"data_batch_{n}.bin" for n in range(1, 6)), "test_batch.bin"]):
        records = torch.randint(0, 256, (10, RECORD), dtype=torch.uint8, generator=generator)
        records[:, 0] = torch.arange(10)
        records[:, 1 : 1 + 32 * 32] = number  # red
        (folder / name).write_bytes(records.numpy().tobytes())
    data = cifar10(str(tmp_path), val_size=0.2)
    assert {name: len(split) for name, split in data.splits.items()} == {"val": 10, "train": 40, "test": 10}
    assert data.splits["test"][4]["input"][0].unique().tolist() == [5]
    assert data.splits["test"][4]["label"] == 4
    with pytest.raises(InputError, match=r"data_batch_3\.bin"):
        (folder / "data_batch_3.bin").write_bytes(b"cut short")
        cifar10(str(tmp_path))
    (folder / "data_batch_3.bin").unlink()
    with pytest.raises(InputError, match="binary version"):
        cifar10(str(tmp_path))


def test_gaussian_linear_is_what_it_says() -> None:
    data = gaussian_linear(num_inputs=5, train_size=20_000, weight=2.0, bias=-1.0, noise=0.5)
    tensors = data.splits["train"].tensors
    solved = torch.linalg.lstsq(torch.cat([tensors["input"], torch.ones(20_000, 1)], dim=1), tensors["target"])
    assert solved.solution.flatten().tolist() == pytest.approx([2] * 5 + [-1], abs=0.02)
    rest = tensors["target"] - tensors["input"].sum(dim=1, keepdim=True) * 2 + 1
    assert float(rest.std()) == pytest.approx(0.5, rel=0.03)
    assert torch.equal(tensors["input"], gaussian_linear(5, 20_000, weight=2.0).splits["train"].tensors["input"])


@given(labels=st.lists(st.integers(0, 3), min_size=8, max_size=60), share=st.floats(0.05, 0.9), seed=st.integers(0, 99))
def test_holding_out_keeps_every_class_on_both_sides(labels: list[int], share: float, seed: int) -> None:
    classes = ["a", "b", "c", "d"]
    counts = [labels.count(label) for label in range(4)]
    if 1 in counts:
        with pytest.raises(InputError, match="a single sample"):
            hold_out(torch.tensor(labels), share, seed, classes)
        return
    kept, held = hold_out(torch.tensor(labels), share, seed, classes)
    assert sorted([*kept.tolist(), *held.tolist()]) == list(range(len(labels)))
    for label, count in enumerate(counts):
        own = sum(labels[index] == label for index in held.tolist())
        assert own == (0 if count == 0 else min(max(1, round(share * count)), count - 1))
