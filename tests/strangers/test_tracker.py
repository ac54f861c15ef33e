"""A tracker is told when a run begins, goes on, is stopped, fails and ends, and has closed its file each time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import zoo as public
from tests.zoo.conftest import probe_parts  # noqa: F401 a fixture
from tests.zoo.training import RECIPE, heard_by, stops_at

STRANGERS = ("zoo_tracker",)
pytestmark = pytest.mark.usefixtures("probe_parts")


def told(folder: Path, name: str) -> list[tuple[str, int]]:
    lines = (folder / f"{name}.jsonl").read_text().splitlines()
    return [(event["event"], event["step"]) for event in map(json.loads, lines)]


def test_a_run_that_is_stopped_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import zoo_tracker

    monkeypatch.setenv("ZOO_TRACKER", str(tmp_path))
    short = {"train.epochs": 1, "train.log_every_steps": 3}
    with heard_by(stops_at(2)), pytest.raises(public.Stopped):
        public.run(RECIPE, short, out=tmp_path / "run")
    assert told(tmp_path, "run") == [("begins", 0), ("stopped", 2)] and not zoo_tracker.FILES
    public.resume(tmp_path / "run")
    rest = [("goes on", 2), ("logged", 3), ("logged", 5), ("evaluated", 5), ("done", 5)]
    assert told(tmp_path, "run")[2:] == rest and not zoo_tracker.FILES


def test_a_run_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import zoo_tracker

    monkeypatch.setenv("ZOO_TRACKER", str(tmp_path))
    with pytest.raises(public.RunFailed):
        public.run(RECIPE, {"optimizer.lr": 1e30}, out=tmp_path / "failed")
    assert told(tmp_path, "failed")[-1][0] == "failed" and not zoo_tracker.FILES
