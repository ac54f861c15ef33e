"""What was promised and not kept once: each test here failed on the code before it."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
import torch

import zoo as public
from tests.conftest import Command
from tests.zoo import probe_parts
from tests.zoo.training import RECIPE as PROBE
from tests.zoo.training import Recorder, left, resume, run, stopped
from zoo import InputError
from zoo.jobs import run_files
from zoo.runs.folder import MANIFEST, METRICS, REPORT, STATE, WEIGHTS, Folder
from zoo.tasks import Task

pytestmark = pytest.mark.usefixtures("probe_parts")


# Two runs, one folder


def test_a_folder_that_another_run_took_meanwhile_is_left_as_it_is(tmp_path: Path) -> None:
    """The first of two runs is slow to prepare; the second ends before it has the lock."""
    require_empty, calls = run_files.require_empty, []

    def second_comes_first(out: Path) -> None:
        require_empty(out)
        calls.append(out)
        if len(calls) == 1:  # the first run has looked, and prepares
            run(out, epochs=1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zoo.jobs.recipe.require_empty", second_comes_first)
        with pytest.raises(InputError, match="is not empty"):
            public.run(PROBE, {"train.seed": 1}, out=tmp_path / "run")
    run(tmp_path / "alone", epochs=1)
    assert left(tmp_path / "run") == left(tmp_path / "alone")


# The log


def test_a_log_that_lost_its_end_costs_lines_and_not_the_run(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """As after a power cut, which leaves a file shorter than the checkpoint says."""
    size = (folder / METRICS).stat().st_size
    os.truncate(folder / METRICS, size - 30)
    results = resume(folder)
    assert results["figures"] == Folder(folder).results()["figures"]  # type: ignore[index]
    assert any("metrics.jsonl has lost" in message for message in caplog.messages)
    assert all("step" in json.loads(line) for line in (folder / METRICS).read_text().splitlines())


def test_what_is_no_line_is_left_out(folder: Path) -> None:
    content = (folder / METRICS).read_bytes()
    (folder / METRICS).write_bytes(b"\0\0\0\n[1]\n" + content + b'{"step": 3, "val/l')
    assert Folder(folder).log.events() == [json.loads(line) for line in content.splitlines()]


def test_the_log_is_flushed_before_a_commit_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkpoint states how long it is."""
    flushed: list[str] = []
    sync, replace = os.fsync, os.replace
    monkeypatch.setattr(
        os, "fsync", lambda handle: (flushed.append(os.readlink(f"/proc/self/fd/{handle}")), sync(handle))
    )
    monkeypatch.setattr(os, "replace", lambda one, other: (flushed.append(f"> {other}"), replace(one, other)))
    run(tmp_path / "run", epochs=1)
    names = [name.rpartition("/")[2] for name in flushed]
    last = max(index for index, name in enumerate(flushed) if name == f"> {tmp_path / 'run' / MANIFEST}")
    assert METRICS in names[:last]


# A reader beside a writer


def test_a_reader_beside_a_writer_sees_the_old_state_or_the_new_one(tmp_path: Path) -> None:
    """Thousands of commits in one thread, reads in this one: each content is whole, and none is missed.

    No content comes twice, or a reader that sleeps meanwhile could take a later state for the one before.
    """
    folder, over = Folder(tmp_path), threading.Event()
    folder.commit({WEIGHTS: [b"0" * 1000]})

    def write() -> None:
        number = 0
        while not over.is_set():
            number += 1
            folder.commit({WEIGHTS: [str(number).encode() * (1000 + number % 50)]})

    writer = threading.Thread(target=write)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)
        writer.start()
        try:
            seen = [folder.read(WEIGHTS, Path.read_bytes) for _ in range(400)]
        finally:
            over.set()
            writer.join()
    for content in seen:
        assert any(content == content[:digits] * (len(content) // digits) for digits in range(1, 7)), "not whole"
    assert len(set(seen)) > 1


# The report comes after the results


@pytest.mark.parametrize("method", ["draw", "texts", "difficulty", "pictures", "baselines"])
def test_a_mistake_in_what_a_task_shows_costs_no_result(tmp_path: Path, method: str) -> None:
    """The results are there, and the report can be made once the plugin is mended."""
    from zoo_tiny.curve import Curve

    def mistaken(self: Task, *arguments: Any, **keywords: Any) -> Any:
        raise TypeError("'bool' object is not subscriptable")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Curve, method, mistaken)
        with pytest.raises(TypeError, match="not subscriptable"):
            run(tmp_path / "run", {"eval.pictures": 2}, epochs=1)
    assert Folder(tmp_path / "run").results() is not None
    assert not (tmp_path / "run" / REPORT).exists()
    assert resume(tmp_path / "run")["figures"]
    assert (tmp_path / "run" / REPORT).exists()
    with pytest.raises(InputError, match="is complete"):
        resume(tmp_path / "run")


# Fine-tuning with another task


def test_a_recipe_that_states_a_task_gets_that_task_s_loss(tmp_path: Path) -> None:
    run(tmp_path / "first", {"loss": "positives"}, epochs=1)
    Path(tmp_path / "second.toml").write_text(
        '[optimizer]\nname = "sgd"\nlr = 0.1\n[train]\nepochs = 1\nbatch_size = 13\n'
        f'[init]\nfrom = "{tmp_path / "first"}"\n'
    )
    inherited = public.run(tmp_path / "second.toml", out=tmp_path / "inherited")
    stated = public.run(tmp_path / "second.toml", {"task": "regression"}, out=tmp_path / "stated")
    assert "val/loss_half" in inherited["figures"] and "val/loss_half" not in stated["figures"]


# Which way is better


class Undecided:
    """A metric that does not say whether it should be small or large."""

    figures = ("scripted",)

    def reset(self) -> None: ...

    def update(self, predictions: torch.Tensor, target: torch.Tensor) -> None: ...

    def compute(self) -> float:
        return 0.5


@pytest.fixture
def undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_parts, "Scripted", lambda: Undecided())


def test_what_does_not_say_which_way_is_better_is_asked_for(tmp_path: Path, undecided: None) -> None:
    settings = {"eval.metrics": ["scripted"], "train.monitor": "val/scripted"}
    with pytest.raises(InputError, match=r"does not say whether it should be small or large\n  help: train.mode"):
        run(tmp_path / "asked", settings)
    assert not (tmp_path / "asked").exists()
    assert run(tmp_path / "told", settings, mode="min", epochs=1)["best_step"] == 5


def test_the_metric_that_made_a_figure_says_which_way_is_better(tmp_path: Path) -> None:
    """Beside a second metric, of whatever name: the smallest error is kept."""
    recipe = tmp_path / "r.toml"
    recipe.write_text(
        'extends = "sine"\n[eval]\nmetrics = ["step_error", { name = "scripted", values = [1, 2, 3, 4] }]\n'
        '[train]\nmonitor = "val/error_4"\nkeep = "best"\nepochs = 4\n'
    )
    results = public.run(recipe, out=tmp_path / "run")
    errors = [event["val/error_4"] for event in Folder(tmp_path / "run").log.events() if "val/error_4" in event]
    assert results["figures"]["val/error_4"] == min(errors) != max(errors)


def test_under_keep_last_nothing_is_called_the_best(tmp_path: Path, zoo: Command) -> None:
    last = zoo("run", PROBE, "train.keep=last", "--out", tmp_path / "last")
    best = zoo("run", PROBE, "--out", tmp_path / "best")
    assert "(best)" not in last.stderr and "(best)" in best.stderr
    assert "best_step" not in json.loads((tmp_path / "last" / "results.json").read_text())


@pytest.mark.parametrize("key", ["train.monitor", "expect"])
def test_a_figure_that_no_metric_states_is_missed_before_the_first_step(tmp_path: Path, key: str) -> None:
    value: Any = "val/other" if key == "train.monitor" else {"val/other": {"min": 0.0}}
    settings = {"eval.metrics": [{"name": "mean_squared_error"}], key: value}
    with pytest.raises(InputError, match="val/other"):
        run(tmp_path / "run", settings, listener=(listener := Recorder()))
    assert not listener.steps and not (tmp_path / "run").exists()


# Stops


def test_a_lost_terminal_stops_a_run_as_sigterm_does(tmp_path: Path) -> None:
    def hang_up(number: int) -> None:
        if number == 3:
            os.kill(os.getpid(), signal.SIGHUP)

    run(tmp_path / "unbroken")
    stopped(tmp_path / "run", Recorder(hang_up))
    assert Folder(tmp_path / "run").read_json(STATE)["step"] == 3
    resume(tmp_path / "run")
    assert left(tmp_path / "run") == left(tmp_path / "unbroken")


def test_a_signal_that_is_ignored_stays_so(tmp_path: Path) -> None:
    """`nohup zoo run` goes on when the terminal is gone."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        run(tmp_path / "run", listener=Recorder(lambda number: os.kill(os.getpid(), signal.SIGHUP)))
    finally:
        signal.signal(signal.SIGHUP, before)
    assert Folder(tmp_path / "run").results() is not None


# Places and batches


def test_a_place_where_no_run_can_be_is_refused_before_anything_is_prepared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    monkeypatch.setattr("zoo.jobs.experiment.prepare", lambda *_: pytest.fail("it was prepared"))
    for out in ("file", "file/run", "dangling"):
        with pytest.raises(InputError, match=f"^{tmp_path / out.partition('/')[0]}"):
            run(tmp_path / out)


def test_a_batch_of_one_under_batch_norm_is_the_user_s_to_change(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a batch has one sample, and batch norm needs more"):
        run(tmp_path / "one", {"model.norm": True}, batch_size=1)
    with pytest.raises(
        InputError, match=r"the last batch of an epoch in batches of 71 has one sample.*\n.*fixed_batches"
    ):
        run(tmp_path / "rest", {"model.norm": True}, batch_size=71)
    assert run(tmp_path / "fixed", {"model.norm": True}, batch_size=71, fixed_batches=True)
