"""What a run remembers of its machine and its data: what changes a fingerprint, and what does not."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
import torch

from zoo import Data, TensorSplit
from zoo.registry.plugins import installed
from zoo.runs.environment import describe_environment, fingerprints

X = torch.arange(12.0).view(6, 2)


def tensors(**changed: Any) -> TensorSplit:
    return TensorSplit(**{"input": X, "label": torch.arange(6), **changed})


class Samples(torch.utils.data.Dataset[Any]):
    """Map-style samples, the `other`-th of which is another one; with a random draw each."""

    def __init__(self, size: int = 100, other: int | None = None, names: list[str] | None = None) -> None:
        self.size, self.other, self.names = size, other, names

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"input": torch.tensor(-1 if index == self.other else index), "noise": torch.rand(1), "text": str(index)}


def hash_of(split: Any) -> str:
    return str(fingerprints(Data({"train": split}))["train"]["sha256"])


def test_every_split_has_its_size_and_its_hash() -> None:
    """Against `hashlib` over names and bytes."""
    found = fingerprints(Data({"train": tensors(), "val": Samples(7)}))
    assert {name: own["samples"] for name, own in found.items()} == {"train": 6, "val": 7}
    content = b"input" + X.numpy().tobytes() + b"label" + torch.arange(6).numpy().tobytes()
    assert found["train"]["sha256"] == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    "other",
    [
        tensors(input=torch.cat([X[:5], X[5:] + 1])),
        tensors(input=X.double()),
        tensors(label=torch.arange(6).flip(0)),
        tensors(names=list("abcdef")),
        tensors(strata=[0, 0, 0, 1, 1, 1]),
        tensors(groups=[0, 0, 0, 1, 1, 1]),
        TensorSplit(input=X, labels=torch.arange(6)),
    ],
)
def test_other_data_have_another_hash(other: Any) -> None:
    assert hash_of(other) != hash_of(tensors())


def test_the_same_data_have_the_same_hash() -> None:
    """In whatever order they lie in memory, however they are augmented, and whatever the generators were at."""
    torch.manual_seed(1)
    first = hash_of(Samples())
    torch.manual_seed(2)
    expected = torch.rand(1)
    torch.manual_seed(2)
    assert hash_of(Samples()) == first
    assert torch.equal(torch.rand(1), expected)
    assert hash_of(tensors(input=X.t().contiguous().t(), transform=lambda batch, _: batch)) == hash_of(tensors())


def test_samples_spread_over_a_split_are_looked_at() -> None:
    """Of 100 every sixth, and all of 16; all names."""
    plain = hash_of(Samples())
    assert all(hash_of(Samples(other=index)) != plain for index in (0, 6, 48, 96))
    assert hash_of(Samples(other=97)) == plain
    assert all(hash_of(Samples(16, other=index)) != hash_of(Samples(16)) for index in range(16))
    names = [str(number) for number in range(100)]
    assert hash_of(Samples(names=names)) != hash_of(Samples(names=[*names[:-1], "other"])) != plain


def test_the_environment_names_what_a_run_depends_on() -> None:
    found = describe_environment(torch.device("cpu"), Data({"train": tensors()}), installed())
    assert found["packages"]["torch"].partition("+")[0] == torch.__version__.partition("+")[0]
    assert {"torch", "numpy", "safetensors"} <= set(found["packages"])
    assert found["plugins"]["basics"]["distribution"] == "zoo-recipes"
    assert found["threads"] == torch.get_num_threads()
    assert found["cuda"] == torch.version.cuda
    assert found["dataset"]["train"]["samples"] == 6
    assert isinstance(found["device"], str)
