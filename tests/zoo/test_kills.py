"""Kills at any moment cost at most the work since the last checkpoint, and leave nothing behind.

Held against an unbroken run: after a kill and a resume the weights and the log are the same, byte for byte.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


class Killer:
    """The process that starts runs and has them killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, kind: str, numbers: list[int]) -> list[dict[str, Any]]:
        command = [sys.executable, "-m", "tests.zoo.kills", str(self.folder), kind, ",".join(map(str, numbers))]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def killer(tmp_path_factory: pytest.TempPathFactory) -> Killer:
    return Killer(tmp_path_factory.mktemp("kills"))


@pytest.fixture(scope="module")
def primitives(killer: Killer) -> list[str]:
    """What an unbroken run does to files, in order."""
    (counted,) = killer("after", [])
    return list(counted["names"])


def nothing_is_lost(reports: list[dict[str, Any]]) -> None:
    for report in reports:
        assert not report.get("error"), report
        assert report["equal"] and report["complete"] and report["stray"] == [], report
        assert report.get("step", -1) >= report["committed"], report


def test_after_every_write_flush_and_rename(killer: Killer, primitives: list[str]) -> None:
    """All of them, from the assets to the results; every fifth run is killed again while it is resumed."""
    assert {"writev", "fsync", "replace", "line"} <= set(primitives)
    reports = killer("after", list(range(1, len(primitives) + 1)))
    nothing_is_lost(reports)
    assert len(reports) >= 70
    assert sum(report["in_save"] for report in reports) >= 30
    assert {report["begun"] for report in reports} == {False, True}


def test_halfway_through_a_write(killer: Killer, primitives: list[str]) -> None:
    writes = [number for number, name in enumerate(primitives, 1) if name in ("writev", "line")]
    assert len(writes) >= 20
    nothing_is_lost(killer("half", writes))


def test_at_random_moments(killer: Killer, primitives: list[str]) -> None:
    """At any function call of Python's, in the run's own code or in a library's."""
    (counted,) = killer("call", [])
    moments = random.Random(0).sample(range(1, counted["count"]), 20)
    nothing_is_lost(killer("call", moments))


def test_workers_do_not_hold_the_folder_of_a_killed_run(killer: Killer) -> None:
    """They notice its death only after seconds, and the lock is the folder's one."""
    (_, report) = killer("workers", [7])
    assert not report["error"] and report["equal"], report
