"""`[init] from`: run folders, safetensors files and the hub; what fits is taken, what is new is said."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from tests.conftest import Command
from tests.zoo.training import run, weights
from zoo import InputError
from zoo.runs.pretrained import find_pretrained

pytestmark = pytest.mark.usefixtures("probe_parts")

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Weights of the probe's model as another library would save them: no metadata."""
    run(tmp_path / "before", epochs=1)
    save_file(
        {name: tensor.clone() for name, tensor in weights(tmp_path / "before").items()}, tmp_path / "w.safetensors"
    )
    return tmp_path / "w.safetensors"


def start(out: Path, source: str | Path, **settings: Any) -> dict[str, torch.Tensor]:
    """The weights that a run starts from: trained at almost no rate."""
    run(out, {"init.from": str(source), "optimizer.lr": 1e-12, **settings}, epochs=1)
    return weights(out)


def close(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor], name: str) -> bool:
    return torch.allclose(first[name], second[name], atol=1e-6)


def test_a_file_gives_its_weights(file: Path, tmp_path: Path) -> None:
    started, saved = start(tmp_path / "after", file), weights(tmp_path / "before")
    assert all(close(started, saved, name) for name in saved)


def test_a_new_head_is_said_to_be_new(file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    started = start(tmp_path / "after", file, **{"init.skip": ["head.*"]})
    assert "new, not from" in (said := caplog.text) and "head.weight, head.bias" in said
    assert close(started, weights(tmp_path / "before"), "body.weight")
    assert not close(started, weights(tmp_path / "before"), "head.weight")


def test_a_file_may_be_that_of_a_part(file: Path, tmp_path: Path) -> None:
    """A backbone's weights, say: names are the part's own, and what the part lacks is left where `skip` says so."""
    saved = weights(tmp_path / "before")
    save_file({**{name: saved[f"body.{name}"].clone() for name in ("weight", "bias")}, "top": torch.ones(3)}, file)
    started = start(tmp_path / "after", file, **{"init.into": "body", "init.skip": ["top"]})
    assert close(started, saved, "body.weight") and not close(started, saved, "head.weight")
    with pytest.raises(InputError, match="the model has no part `boddy`") as error:
        start(tmp_path / "wrong", file, **{"init.into": "boddy"})
    assert "did you mean `body`" in error.value.help


def test_a_part_of_the_weights_may_be_taken(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An encoder out of a run folder, tied names too; into the part of the same name, or another."""
    run(tmp_path / "before", {"model": "tied"}, epochs=1)
    saved = weights(tmp_path / "before")
    started = start(tmp_path / "after", tmp_path / "before", **{"init.part": "body", "init.into": "body"})
    assert close(started, saved, "body.weight") and not close(started, saved, "head.weight")
    tied = {"model": "tied", "init.part": "second", "init.into": "first"}
    started = start(tmp_path / "tied", tmp_path / "before", **tied)
    assert close(started, saved, "first.weight") and not close(started, saved, "body.weight")
    with pytest.raises(InputError, match="has no part `boddy`") as error:
        start(tmp_path / "wrong", tmp_path / "before", **{"init.part": "boddy"})
    assert "did you mean `body`" in error.value.help


def test_shapes_are_compared_before_anything_is_loaded(file: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"`body.weight` is \[8, 1\] there and \[5, 1\] in the model"):
        start(tmp_path / "after", file, **{"model.width": 5})


def test_a_bare_name_is_looked_for_in_zoo_data_and_the_cache(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "cache").mkdir()
    monkeypatch.chdir(tmp_path / "before")
    monkeypatch.setenv("ZOO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    with pytest.raises(InputError, match=r"(?s)no weights `net\.safetensors`.*save_file") as error:
        find_pretrained("net.safetensors")
    assert str(tmp_path / "data") in str(error.value)
    file.rename(tmp_path / "cache" / "net.safetensors")
    assert find_pretrained("net.safetensors").file == tmp_path / "cache" / "net.safetensors"


def test_no_safetensors_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").write_bytes(b"no tensors")
    with pytest.raises(InputError, match="no readable safetensors"):
        start(tmp_path / "after", tmp_path / "w.safetensors")


def test_a_recipe_without_a_model_needs_a_run_folder(
    file: Path, tmp_path: Path, zoo: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("r.toml").write_text(f'[init]\nfrom = "{file}"\n[eval]\n')
    finished = zoo("run", "r.toml")
    assert finished.status == 2 and "names no task" in finished.stderr


# The hub


@pytest.mark.parametrize(
    "name", ["hub:net", "hub:me/net", "hub:me/net@main", f"hub:me/net@{COMMIT}/w.bin", f"hub:../x@{COMMIT}/../y.bin"]
)
def test_a_hub_repository_needs_a_pinned_commit(name: str) -> None:
    with pytest.raises(InputError, match="the commit in full"):
        find_pretrained(name)


@pytest.mark.parametrize(("name", "asked"), [("", "model.safetensors"), ("/a/w.safetensors", "a/w.safetensors")])
def test_a_hub_file_is_asked_for_at_its_commit(
    file: Path, monkeypatch: pytest.MonkeyPatch, name: str, asked: str
) -> None:
    calls = []

    def download(repository: str, filename: str, *, revision: str, cache_dir: Path) -> str:
        calls.append((repository, filename, revision))
        return str(file)

    monkeypatch.setitem(sys.modules, "huggingface_hub", SimpleNamespace(hf_hub_download=download))
    tensors, tied = find_pretrained(f"hub:me/net@{COMMIT}{name}").read()
    assert calls == [("me/net", asked, COMMIT)]
    assert tied == {} and "body.weight" in tensors


def test_a_hub_that_cannot_be_reached_is_an_input_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def download(*_: Any, **__: Any) -> str:
        raise ConnectionError("offline")

    monkeypatch.setitem(sys.modules, "huggingface_hub", SimpleNamespace(hf_hub_download=download))
    with pytest.raises(InputError, match=r"could not be fetched \(ConnectionError\)"):
        find_pretrained(f"hub:me/net@{COMMIT}")
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(InputError, match="pip install huggingface-hub"):
        find_pretrained(f"hub:me/net@{COMMIT}")


def test_mapped_tensors_begin_where_torch_s_would(tmp_path: Path) -> None:
    """Kernels round otherwise on others: a model would not score as it did before it was saved."""
    from zoo.runs.files import write_flushed
    from zoo.runs.weights import encode, read_tensors

    generator = torch.Generator().manual_seed(0)
    sizes = (1, 3, 16, 17, 64, 100, 1000)
    tensors = {f"t{size}": torch.randn(size, generator=generator) for size in sizes} | {"n": torch.tensor(3)}
    write_flushed(tmp_path / "w.safetensors", encode(tensors, {}))
    read, _ = read_tensors(tmp_path / "w.safetensors")
    assert all(torch.equal(read[name], tensor) for name, tensor in tensors.items())
    assert all(tensor.data_ptr() % 64 == 0 for tensor in read.values())
