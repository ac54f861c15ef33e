"""A run folder from a stranger is data: plain files in a tree, or it is refused, and nothing outside is touched."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import zoo as public
from zoo import RunFailed
from zoo.jobs.recipe import resume
from zoo.jobs.score import score
from zoo.runs.folder import ENVIRONMENT, MANIFEST, METRICS, RECIPE, STATE, WEIGHTS, Folder

pytestmark = pytest.mark.usefixtures("probe_parts")


PLACES = {
    "weights: a link": (WEIGHTS, lambda place: place.symlink_to("/dev/zero")),
    "weights: a pipe": (WEIGHTS, os.mkfifo),
    "weights: a folder": (WEIGHTS, Path.mkdir),
    "metrics: a link": (METRICS, lambda place: place.symlink_to("../victim/precious")),
    "metrics: a pipe": (METRICS, os.mkfifo),
    "environment: a pipe": (ENVIRONMENT, os.mkfifo),
    "recipe: a link": (RECIPE, lambda place: place.symlink_to("../victim/precious")),
    "manifest: a pipe": (MANIFEST, os.mkfifo),
    "pictures: a link": ("pictures", lambda place: place.symlink_to("../victim", target_is_directory=True)),
    "pictures: a file": ("pictures", Path.touch),
    "checkpoint: a link": ("checkpoint", lambda place: place.symlink_to("../victim", target_is_directory=True)),
    "a temporary file: a link": (".metrics.next", lambda place: place.symlink_to("../victim/precious")),
    "deep below: a link": ("checkpoint/deep", lambda place: place.symlink_to("../../victim")),
}


@pytest.mark.parametrize("name", PLACES)
def test_what_is_no_plain_file_is_refused(folder: Path, tmp_path: Path, name: str) -> None:
    """By everything that opens a folder; nothing outside is touched, and nothing hangs."""
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "precious").write_text("x" * 1000)
    (victim / ".note.tmp").write_text("mine")
    before = {file: file.read_bytes() for file in victim.iterdir()}
    place, make = PLACES[name]
    if (folder / place).exists():
        (shutil.rmtree if (folder / place).is_dir() else os.unlink)(folder / place)
    make(folder / place)
    for read in (resume, score, lambda path: public.load(path, "cpu")):
        with pytest.raises(RunFailed, match=r"plain files only|should be a f(ile|older)"):
            read(folder)
    assert {file: file.read_bytes() for file in victim.iterdir()} == before


@pytest.mark.parametrize("name", ["../victim/secret", "/tmp/secret", "checkpoint/../../secret", ".hidden", "a/b/c", ""])
def test_a_manifest_names_files_of_its_own_folder_alone(folder: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "secret").write_text("precious")
    (tmp_path / "victim" / ".secret.next").write_text("EVIL")
    manifest = json.loads((folder / MANIFEST).read_bytes())
    manifest["files"][name] = {"size": 4, "sha256": hashlib.sha256(b"EVIL").hexdigest()}
    manifest["sha256"] = hashlib.sha256(json.dumps(manifest["files"], sort_keys=True).encode()).hexdigest()
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(RunFailed, match=r"manifest\.json is damaged"):
        resume(folder)
    assert (tmp_path / "victim" / "secret").read_text() == "precious"


def _forged(state: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {**state, "state": {**state["state"], **parts}}


FORGED: dict[str, Callable[[dict[str, Any]], Any]] = {
    "no object": lambda state: [],
    "nothing": lambda state: {},
    "a step of text": lambda state: _forged(state, progress={**state["state"]["progress"], "step": "x"}),
    "a step below 0": lambda state: _forged(state, progress={**state["state"]["progress"], "step": -5}),
    "a size below 0": lambda state: {**state, "metrics_size": -1},
    "no generators": lambda state: _forged(state, experiment={**state["state"]["experiment"], "random": {}}),
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED.keys())
def test_a_checkpoint_of_another_form_is_named(folder: Path, forge: Callable[[dict[str, Any]], Any]) -> None:
    """It is whole by its hash; whoever made it was not zoo."""
    state = json.loads((folder / STATE).read_bytes())
    Folder(folder).commit({STATE: [json.dumps(forge(state)).encode()]})
    with pytest.raises(RunFailed, match=r"state\.json is (no checkpoint of this run|damaged)"):
        resume(folder)


def test_a_manifest_of_brackets_is_damaged(folder: Path) -> None:
    (folder / MANIFEST).write_text("[" * 100_000)
    with pytest.raises(RunFailed, match=r"manifest\.json is damaged"):
        public.load(folder)


@pytest.mark.parametrize("content", ["", "[]", '{"figures"', "{}", "[" * 100_000])
def test_results_that_are_none_are_damaged(folder: Path, content: str) -> None:
    (folder / "results.json").write_text(content)
    with pytest.raises(RunFailed, match=r"results\.json is damaged"):
        Folder(folder).results()
