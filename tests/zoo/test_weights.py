"""Weights files: tied tensors once, the same bytes each time, and nothing believed that a file says of itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import zoo
from tests.zoo.probe_parts import Calculating, Net, Tied
from tests.zoo.training import experiment, left, resume, run, stopped, stops_at, weights
from zoo import InputError
from zoo.runs.weights import (
    Tensors,
    assign_weights,
    build_empty,
    encode,
    filled,
    has_meta_tensors,
    read_tensors,
    weights_of,
)

pytestmark = pytest.mark.usefixtures("probe_parts")


# Tied parameters


def test_a_tied_parameter_is_one_tensor_in_the_file(tmp_path: Path) -> None:
    run(tmp_path, {"model": "tied"})
    tensors, metadata = read_tensors(tmp_path / "weights.safetensors")
    assert "first.weight" in tensors and "second.weight" not in tensors
    assert metadata["tied"] == {"second.weight": "first.weight"}


def test_and_one_in_the_optimizer() -> None:
    """Also where groups name it by both of its names."""
    groups = [{"params": ["second.*"], "lr": 0.5}, {"params": ["first.*"], "lr": 0.1}]
    for settings in ({}, {"train.groups": groups}):
        parts = experiment({"model": "tied", **settings})
        held = [id(parameter) for group in parts.update.optimizer.param_groups for parameter in group["params"]]
        assert len(held) == len(set(held)) == len(list(parts.model.parameters())) == 7


def test_and_still_tied_after_load_and_resume(tmp_path: Path) -> None:
    stopped(tmp_path, stops_at(6), {"model": "tied"}, ema=0.9)
    resume(tmp_path)
    model = zoo.load(tmp_path, "cpu").model
    assert model.first.weight is model.second.weight
    assert torch.equal(model.first.weight, weights(tmp_path)["first.weight"])


def test_init_keeps_them_tied(tmp_path: Path) -> None:
    run(tmp_path / "first", {"model": "tied"})
    model = experiment({"model": "tied", "init.from": str(tmp_path / "first")}).model
    assert model.first.weight is model.second.weight


# Bytes


def test_a_second_run_leaves_the_same_bytes(tmp_path: Path) -> None:
    settings = {"model.dropout": 0.5, "model.norm": True}
    for name in ("first", "second"):
        run(tmp_path / name, settings)
    assert left(tmp_path / "first") == left(tmp_path / "second")


def test_another_seed_leaves_others(tmp_path: Path) -> None:
    for seed in (0, 1):
        run(tmp_path / str(seed), seed=seed)
    assert left(tmp_path / "0") != left(tmp_path / "1")


def test_the_format_s_own_library_reads_the_same(tmp_path: Path) -> None:
    """Every element type that is written, no dimension, an empty tensor, a transposed one."""
    from safetensors.torch import load_file

    tensors = {
        "scalar": torch.tensor(3),
        "empty": torch.zeros(0, 4),
        "transposed": torch.arange(6.0).reshape(2, 3).T,
        "truth": torch.tensor([True, False, True]),
        "half": torch.ones(3, dtype=torch.bfloat16),
        "double": torch.ones(3, dtype=torch.float64),
    }
    (tmp_path / "file").write_bytes(b"".join(encode(tensors, {"a": 1})))
    found = load_file(tmp_path / "file")
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[name], tensors[name]) and found[name].dtype == tensors[name].dtype for name in found)
    assert read_tensors(tmp_path / "file")[1] == {"a": 1}


# Hostile files


def header(text: bytes | dict[str, Any], length: int | None = None, body: bytes = b"\0" * 8) -> bytes:
    encoded = text if isinstance(text, bytes) else json.dumps(text).encode()
    return (len(encoded) if length is None else length).to_bytes(8, "little") + encoded + body


def entry(dtype: str = "F32", shape: Any = (2,), offsets: Any = (0, 8)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


HOSTILE = {
    "nothing": b"",
    "seven bytes": b"1234567",
    "a length past the end": header({"a": entry()}, length=10_000),
    "a length of 2^64 - 1": header({"a": entry()}, length=2**64 - 1),
    "a length of 2^63": header({"a": entry()}, length=2**63),
    "a length of 0": header(b"", length=0),
    "no JSON": header(b"{'a': 1}"),
    "a list": header(b"[]"),
    "bytes that are no text": header(b"\xff\xfe\xfa"),
    "nested without end": header(b'{"a":' * 100_000),
    "an unknown type": header({"a": entry(dtype="PICKLE")}),
    "another type's size": header({"a": entry(dtype="F64")}),
    "no type": header({"a": {"shape": [2], "data_offsets": [0, 8]}}),
    "a negative offset": header({"a": entry(offsets=(-8, 0))}),
    "an offset past the end": header({"a": entry(shape=(4,), offsets=(0, 16))}),
    "an end before the start": header({"a": entry(offsets=(8, 0))}),
    "overlapping tensors": header({"a": entry(), "b": entry(shape=(1,), offsets=(4, 8))}),
    "a hole": header({"a": entry(shape=(1,), offsets=(4, 8))}),
    "bytes left over": header({"a": entry()}, body=b"\0" * 16),
    "a huge shape": header({"a": entry(shape=(2**40, 2**40))}),
    "a shape that overflows to 2": header({"a": entry(shape=(2**63 + 1, 2))}),
    "a negative shape": header({"a": entry(shape=(-1, -2))}),
    "a shape of text": header({"a": entry(shape=("2",))}),
    "a name twice": header(
        b'{"a":' + json.dumps(entry()).encode() + b',"a":' + json.dumps(entry(offsets=(0, 4))).encode() + b"}"
    ),
    "a pickle": b"\x80\x05\x95\x1e\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94\x8c\x06system\x94\x93\x94",
    "a zip archive": b"PK\x03\x04" + b"\0" * 60,
    "metadata that is no JSON": header({"__metadata__": {"zoo": "{"}, "a": entry()}),
    "metadata that is a list": header({"__metadata__": {"zoo": "[]"}, "a": entry()}),
    "metadata nested without end": header({"__metadata__": {"zoo": "[" * 100_000}, "a": entry()}),
    "ties that are a list": header({"__metadata__": {"zoo": '{"tied": []}'}, "a": entry()}),
    "hashes that are a number": header({"__metadata__": {"zoo": '{"assets": 3}'}, "a": entry()}),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "weights.safetensors").write_bytes(content)
    with pytest.raises(InputError, match=r"weights\.safetensors is no readable safetensors file"):
        read_tensors(tmp_path / "weights.safetensors")


def test_the_hostile_files_differ_from_a_good_one(tmp_path: Path) -> None:
    (tmp_path / "good").write_bytes(header({"a": entry()}))
    assert torch.equal(read_tensors(tmp_path / "good")[0]["a"], torch.zeros(2))


# Fitting a model


def changed(**tensors: torch.Tensor | None) -> dict[str, torch.Tensor]:
    saved = {**weights_of(Net(1))[0], **{name.replace("__", "."): tensor for name, tensor in tensors.items()}}
    return {name: tensor for name, tensor in saved.items() if tensor is not None}


@pytest.mark.parametrize(
    ("saved", "message"),
    [
        (changed(head__weight=None), "not there: `head.weight`"),
        (changed(tail__weight=torch.zeros(1, 8)), "not in the model: `tail.weight`"),
        (changed(head__weight=torch.zeros(3, 8)), r"`head.weight` is \[3, 8\] there and \[1, 8\] in the model"),
        (changed(head__weight=torch.zeros(8)), r"`head.weight` is \[8\] there"),
        (changed(head__weight=torch.zeros(1, 8, dtype=torch.float64)), "`head.weight` is torch.float64 there"),
        (changed(head__weight=torch.zeros(1, 8, dtype=torch.int64)), "`head.weight` is torch.int64 there"),
    ],
)
def test_names_shapes_and_types_are_compared_before_anything_is_loaded(
    saved: dict[str, torch.Tensor], message: str
) -> None:
    model = Net(1)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(InputError, match=message):
        assign_weights(model, saved, {})
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_init_skip_keeps_the_model_s_own_values(tmp_path: Path) -> None:
    """A head of another shape stops the run, says what to skip, and then stays as it was drawn."""
    run(tmp_path / "first", {"model.width": 4})
    start = {"init.from": str(tmp_path / "first")}
    with pytest.raises(InputError, match=r"skip = \[\"body\.\*\", \"head\.\*\"\]"):
        experiment(start)
    run(tmp_path / "second")
    model = experiment({"init.from": str(tmp_path / "second"), "init.skip": ["head.*"]}).model
    fresh = experiment().model
    assert torch.equal(model.body.weight, weights(tmp_path / "second")["body.weight"])
    assert torch.equal(model.head.weight, fresh.head.weight)


# Building on the meta device


def loaded(build: Callable[[], nn.Module], tensors: Tensors, tied: dict[str, str]) -> nn.Module:
    return filled(build_empty(build), build, tensors, tied, "here")


def test_a_model_is_built_without_first_values() -> None:
    """The obvious way, drawing values and replacing them, gives the same model."""
    torch.manual_seed(0)
    tensors, tied = weights_of(source := Tied(1))
    state = torch.get_rng_state()
    model = loaded(lambda: Tied(1), tensors, tied)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(tensor, source.state_dict()[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize("look", [True, False], ids=["reads its values", "has tensors beside its buffers"])
def test_a_constructor_that_the_meta_device_does_not_suit(look: bool) -> None:
    """Falls back to plain building, and computes what the source computes."""
    tensors, tied = weights_of(source := Calculating(1, look=look))
    model = loaded(lambda: Calculating(1, look=look), tensors, tied)
    assert not has_meta_tensors(model)
    x = torch.linspace(-1, 1, 5)[:, None]
    assert torch.equal(model(x), source(x))


def test_such_a_model_goes_through_a_whole_run(tmp_path: Path) -> None:
    for look in (True, False):
        run(tmp_path / str(look), {"model": {"name": "calculating", "look": look}})


@pytest.mark.parametrize("error", [ValueError("no"), RuntimeError("no"), NotImplementedError("no")])
def test_an_error_of_the_constructor_itself_is_not_hidden(error: Exception) -> None:
    def build() -> nn.Module:
        raise error

    with pytest.raises(type(error), match="no"):
        build_empty(build)


def test_requires_grad_is_the_model_s(tmp_path: Path) -> None:
    build: Callable[[], nn.Module] = lambda: Net(1).requires_grad_(False)  # noqa: E731
    assert not any(parameter.requires_grad for parameter in loaded(build, changed(), {}).parameters())


def test_a_parameter_that_is_held_still_stays_so() -> None:
    """Its new values are a parameter too, and one of the model's own kind."""
    model = torch.nn.Linear(1, 1)
    model.weight.requires_grad_(False)
    assign_weights(model, {"weight": torch.ones(1, 1), "bias": torch.ones(1)}, {})
    assert [parameter.requires_grad for parameter in model.parameters()] == [False, True]
    assert model.weight.item() == 1


@pytest.mark.parametrize("wrapped", [lambda x: x, lambda x: [x], lambda x: (1, {"a": [x]}), lambda x: {"b": x}])
def test_tensors_without_values_are_seen_wherever_a_module_keeps_them(wrapped: Any) -> None:
    model = torch.nn.Sequential(torch.nn.Identity())
    model[0].kept = wrapped(torch.ones(1))
    assert not has_meta_tensors(model)
    model[0].kept = wrapped(torch.ones(1, device="meta"))
    assert has_meta_tensors(model)
