"""What is on the disk after a power cut: the order of flushes and renames, from a log of the primitives.

A kill cannot show it, since the system writes what a killed process left.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.zoo.training import run
from zoo.runs.folder import Folder

Call = tuple[str, str]


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Call]]:
    """Writes, flushes and renames below `tmp_path` in their order: what was done, and to which path."""
    log: list[Call] = []

    def name_of(handle: int) -> str:
        return os.path.relpath(os.readlink(f"/proc/self/fd/{handle}"), tmp_path)

    for name in ("write", "writev", "fsync"):
        original = getattr(os, name)

        def noted(handle: int, *rest: object, name: str = name, original: object = original) -> object:
            log.append((name, name_of(handle)))
            return original(handle, *rest)  # type: ignore[operator]

        monkeypatch.setattr(os, name, noted)
    replace = os.replace

    def renamed(source: Path, target: Path) -> None:
        log.append(("rename", os.path.relpath(target, tmp_path)))
        replace(source, target)

    monkeypatch.setattr(os, "replace", renamed)
    yield log


def places(calls: list[Call], *wanted: Call) -> list[list[int]]:
    """Where in the log each call stands."""
    return [[place for place, call in enumerate(calls) if call == one] for one in wanted]


def test_a_commit_counts_once_all_it_names_is_on_the_disk(tmp_path: Path, calls: list[Call]) -> None:
    """Contents, then the names they have, then the manifest; after it the renames, and the names again."""
    Folder(tmp_path).commit({"weights.safetensors": [b"a", b"b"], "checkpoint/state.json": [b"{}"]})
    files = [".weights.safetensors.next", "checkpoint/.state.json.next"]
    [counts] = places(calls, ("rename", "manifest.json"))[0]
    for file in files:
        [written], [flushed] = places(calls, ("writev", file), ("fsync", file))
        assert written < flushed < counts
        for flushes in places(calls, ("fsync", "."), ("fsync", "checkpoint")):
            assert flushed < flushes[0] < counts < flushes[-1]
    [manifest] = [place for place, (name, path) in enumerate(calls) if name == "fsync" and "manifest" in path]
    assert manifest < counts
    for folder, file in ((".", "weights.safetensors"), ("checkpoint", "checkpoint/state.json")):
        [renamed], flushes, own = places(calls, ("rename", file), ("fsync", folder), ("fsync", "."))
        assert counts < renamed < flushes[-1]
        assert any(counts < flush < renamed for flush in own)  # the manifest's name, before any other


def test_a_rename_is_of_a_file_that_is_on_the_disk(tmp_path: Path, calls: list[Call]) -> None:
    Folder(tmp_path).write("results.json", b"{}")
    assert [name for name, _ in calls] == ["writev", "fsync", "rename"]


@pytest.mark.usefixtures("probe_parts")
def test_no_checkpoint_counts_lines_that_are_not_on_the_disk(tmp_path: Path, calls: list[Call]) -> None:
    """Between the last line of the log and each manifest that counts it there is a flush of the log."""
    run(tmp_path)
    unflushed, seen = 0, 0
    for name, path in calls:
        if path == "metrics.jsonl":
            unflushed = 0 if name == "fsync" else unflushed + 1
            seen += 1
        if (name, path) == ("rename", "manifest.json"):
            assert unflushed == 0
    assert seen > 5
