"""What is damaged in a run folder is found when it is read, named, and never loaded."""

from __future__ import annotations

import errno
import json
import os
import shutil
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

import zoo
from tests.zoo.training import RECIPE as PROBE
from tests.zoo.training import Recorder, left, resume, run, stopped, stops_at
from zoo import InputError, RunFailed
from zoo.jobs.score import score
from zoo.runs.folder import ENVIRONMENT, MANIFEST, RECIPE, REPORT, STATE, STATE_TENSORS, WEIGHTS, Folder
from zoo.runs.metrics_log import MetricsLog
from zoo.runs.weights import encode, read_tensors

pytestmark = pytest.mark.usefixtures("probe_parts")

ASSET = "preprocess.json"
FILES = (WEIGHTS, ASSET, STATE, STATE_TENSORS, RECIPE, ENVIRONMENT)


def flipped(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def cut_short(file: Path) -> None:
    os.truncate(file, file.stat().st_size - 1)


def emptied(file: Path) -> None:
    os.truncate(file, 0)


def lengthened(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"\n")


def removed(file: Path) -> None:
    file.unlink()


DAMAGES = (flipped, cut_short, emptied, lengthened, removed)


def read(folder: Path, name: str) -> None:
    """Reads a file the way that is meant for it."""
    if name in (WEIGHTS, ASSET):
        zoo.load(folder, "cpu")
    else:
        resume(folder)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_found_and_named(folder: Path, name: str, damage: Callable[[Path], None]) -> None:
    damage(folder / name)
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    with pytest.raises(RunFailed, match=f"{name} is (damaged|missing)"):
        read(folder, name)
    assert {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()} == before


@pytest.mark.parametrize("name", FILES)
def test_swapped_files_are_found(folder: Path, tmp_path: Path, name: str) -> None:
    """A file of another run that is whole in itself, and of the same size."""
    stopped(tmp_path / "other", stops_at(6), seed=1)
    if name in (ASSET, ENVIRONMENT):
        (tmp_path / "other" / name).write_text((folder / name).read_text().replace("1", "2"))
    shutil.copy(tmp_path / "other" / name, folder / name)
    with pytest.raises(RunFailed, match=f"{name} is damaged or is another run's"):
        read(folder, name)


def test_two_files_of_one_run_that_changed_places(folder: Path) -> None:
    (folder / WEIGHTS).rename(folder / "aside")
    (folder / STATE_TENSORS).rename(folder / WEIGHTS)
    (folder / "aside").rename(folder / STATE_TENSORS)
    for name in (WEIGHTS, STATE_TENSORS):
        with pytest.raises(RunFailed, match=f"{name} is damaged"):
            read(folder, name)


def test_any_flipped_byte_of_the_manifest(folder: Path) -> None:
    """Whatever it makes of the JSON: another name, another key, another size. White space says nothing."""
    content = (folder / MANIFEST).read_bytes()
    meaning = json.loads(content)
    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] ^= 1
        (folder / MANIFEST).write_bytes(changed)
        try:
            if json.loads(changed) == meaning:
                continue
        except ValueError:
            pass
        with pytest.raises(RunFailed, match=r"manifest\.json is damaged"):
            Folder(folder).names()
    (folder / MANIFEST).write_bytes(content)
    assert Folder(folder).names()


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"files": 3}', b"\xff\xfe", b'{"files": {}}'])
def test_a_manifest_that_is_none(folder: Path, content: bytes) -> None:
    (folder / MANIFEST).write_bytes(content)
    for read_it in (lambda: zoo.load(folder, "cpu"), lambda: resume(folder), lambda: score(folder)):
        with pytest.raises(RunFailed, match=r"manifest\.json is damaged"):
            read_it()


def test_a_folder_without_what_makes_it_a_run(folder: Path) -> None:
    (folder / MANIFEST).unlink()
    for read_it in (zoo.load, resume, score):
        with pytest.raises(InputError, match="is no run folder"):
            read_it(folder)


def test_weights_with_another_asset(folder: Path) -> None:
    """Also where someone brought the manifest up to date: the weights themselves say what they were saved with."""
    (folder / ASSET).unlink()
    changed = Folder(folder)
    changed.commit({ASSET: [b'{"scale": 2.0}']})
    with pytest.raises(RunFailed, match="the weights belong to another `preprocess`"):
        zoo.load(folder, "cpu")
    with pytest.raises((InputError, RunFailed), match="`preprocess`"):
        score(folder)


def test_weights_without_their_asset(folder: Path) -> None:
    tensors, metadata = read_tensors(folder / WEIGHTS)
    metadata["assets"]["vocab"] = "0" * 64
    Folder(folder).commit({WEIGHTS: encode(tensors, metadata)})
    with pytest.raises(RunFailed, match="another `vocab`"):
        zoo.load(folder, "cpu")


def test_two_writers(folder: Path, tmp_path: Path) -> None:
    """Of the second none may change a file."""
    with Folder(folder).locked():
        before = left(folder)
        with pytest.raises(InputError, match="is in use"):
            resume(folder)
        assert left(folder) == before
    resume(folder)


def test_a_second_writer_while_the_first_runs(tmp_path: Path) -> None:
    refused = []

    def second(number: int) -> None:
        with pytest.raises(InputError) as caught:
            resume(tmp_path / "run")
        refused.append(caught.value)

    run(tmp_path / "run", listener=Recorder(second))
    assert len(refused) == 10 and all("is in use" in error.message for error in refused)


def test_readers_need_no_lock(folder: Path) -> None:
    with Folder(folder).locked():
        assert zoo.load(folder, "cpu").predict("1.0")


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text("mine")
    with pytest.raises(InputError, match="is not empty"):
        run(tmp_path)
    assert (tmp_path / "recipe.toml").read_text() == "mine"


WRITES = 27  # of the probe recipe's run, lines of its log included


@contextmanager
def full_disk(first: int) -> Iterator[list[int]]:
    """From the n-th write on there is no space; gives the list of writes that were tried."""
    tried: list[int] = []

    def limited(write: Callable[[int, Any], int]) -> Callable[[int, Any], int]:
        def written(handle: int, content: Any) -> int:
            tried.append(1)
            if len(tried) >= first:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return write(handle, content)

        return written

    with mock.patch.object(os, "writev", limited(os.writev)), mock.patch.object(os, "write", limited(os.write)):
        yield tried


@pytest.mark.parametrize("first", range(1, WRITES + 1))
def test_a_full_disk(tmp_path: Path, first: int) -> None:
    """At every write of a run: a failed run that says why, a folder that is as it was before the write, no rests.

    With space again the run goes on from there, be it only the report that is missing.
    """
    out = tmp_path / "full"
    with full_disk(WRITES + 1) as tried:
        run(tmp_path / "unbroken")
    assert len(tried) == WRITES
    with full_disk(first), pytest.raises(RunFailed, match="No space left on device"):
        run(out)
    assert list(out.rglob(".*")) == []
    if (out / MANIFEST).exists():
        for name in Folder(out).names():
            Folder(out).read(name, lambda file: None)
        resume(out)
    else:
        run(out)
    assert Folder(out).results() is not None and (out / REPORT).exists()
    assert left(out) == left(tmp_path / "unbroken")


def test_a_line_of_the_log_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """A disk that takes half of a line and then is full."""
    log = MetricsLog(tmp_path / "metrics.jsonl")
    log.append({"step": 1})
    write = os.write
    half = mock.patch.object(os, "write", lambda handle, content: write(handle, content[: len(content) // 2]))
    with half, pytest.raises(RunFailed, match="No space left"):
        log.append({"step": 2, "val/loss": 0.5})
    assert (tmp_path / "metrics.jsonl").read_bytes() == b'{"step": 1}\n'


def test_new_folders_are_numbered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for number in (1, 2):
        assert Path(zoo.run(PROBE, {"train.epochs": 1})["folder"]) == Path(f"runs/probe/{number}")


def test_the_recipe_in_the_folder_repeats_the_run(tmp_path: Path) -> None:
    run(tmp_path / "first", {"model.dropout": 0.25, "train.seed": 3})
    zoo.run(tmp_path / "first" / "recipe.toml", out=tmp_path / "second")
    assert left(tmp_path / "first") == left(tmp_path / "second")
    first, second = (tomllib.loads((tmp_path / name / "recipe.toml").read_text()) for name in ("first", "second"))
    assert first == second
