"""A run that is stopped and resumed ends where the unbroken one does: the same weights and log, byte for byte."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.conftest import Command
from tests.zoo import probe_parts
from tests.zoo.training import (
    RECIPE,
    Recorder,
    left,
    nth_call,
    resume,
    run,
    stopped,
    stopped_again,
    stops_at,
    terminate,
)
from zoo import InputError, RunFailed, Stopped, hookimpl
from zoo.runs.folder import Folder

pytestmark = pytest.mark.usefixtures("probe_parts")

PER_EPOCH = 5  # batches of the probe recipe

# What a resume must bring back, each in the state of something else.
SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "channels last": {
        "model": {"name": "pictured", "kernel": 3},
        "optimizer.momentum": 0.9,
        "train.channels_last": True,
    },
    "channels last, adam": {
        "model": {"name": "pictured", "kernel": 3},
        "optimizer": {"name": "adamw", "lr": 0.02},
        "train.channels_last": True,
    },
    "dropout": {"model.dropout": 0.5},
    "momentum": {"optimizer.momentum": 0.9, "optimizer.nesterov": True},
    "adam": {"optimizer": {"name": "adam", "lr": 0.02, "amsgrad": True}},
    "muon": {"optimizer": {"name": "muon", "lr": 0.02}},
    "cosine and warm-up": {"schedule": "cosine", "train.warmup_steps": 4},
    "one cycle": {"schedule": "one_cycle"},
    "plateau": {"schedule": {"name": "plateau", "patience": 0, "threshold": 0.5}},
    "moving average": {"train.ema": 0.9, "model.norm": True},
    "clip": {"train.clip_norm": 0.01},
    "accumulate": {"train.accumulate": 2},
    "tied": {"model": "tied"},
    "frozen": {"train.freeze": ["body.*"]},
    "groups": {"train.groups": [{"params": ["head.*", ":bias"], "lr": 0.5}]},
    "loss parts": {"loss": "positives"},
    "batch norm": {"model.norm": True},
    "everything": {
        "model.dropout": 0.3,
        "model.norm": True,
        "optimizer.momentum": 0.9,
        "schedule": "cosine",
        "train.warmup_steps": 3,
        "train.ema": 0.9,
        "train.clip_norm": 0.1,
        "train.accumulate": 2,
        "train.evaluate_every_steps": 3,
        "train.keep": "last",
    },
}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS.keys())
def test_every_kind_of_state_is_taken_up(tmp_path: Path, settings: dict[str, Any]) -> None:
    """Stopped twice in the first epoch, at places that neither the log nor an evaluation would choose."""
    run(tmp_path / "unbroken", settings)
    stopped(tmp_path / "stopped", stops_at(1), settings)
    stopped_again(tmp_path / "stopped", stops_at(2))
    resume(tmp_path / "stopped")
    assert left(tmp_path / "stopped") == left(tmp_path / "unbroken")


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(
    "stops",
    [(3,), (PER_EPOCH,), (1, 4), (PER_EPOCH + 2, 2 * PER_EPOCH)],
    ids=["mid-epoch", "at an epoch's end", "twice in an epoch", "and at the run's end"],
)
def test_samples_of_a_map_style_split(tmp_path: Path, workers: int, stops: tuple[int, ...]) -> None:
    """Each sample draws from the global generators, in this process or in a worker's, and so does dropout here.

    The unbroken run has no workers in either case: they may not change anything.
    """
    settings = {"dataset.in_memory": False, "model.dropout": 0.5}
    run(tmp_path / "unbroken", settings, workers=0)
    stopped(tmp_path / "stopped", stops_at(stops[0]), settings, workers=workers)
    for number in stops[1:]:
        stopped_again(tmp_path / "stopped", stops_at(number))
    resume(tmp_path / "stopped")
    assert left(tmp_path / "stopped") == left(tmp_path / "unbroken")


def test_a_stop_before_the_first_step(tmp_path: Path) -> None:
    class StopsAtOnce(Recorder):
        @hookimpl
        def zoo_run_started(self, run: Any) -> None:
            terminate()

    run(tmp_path / "unbroken")
    stopped(tmp_path / "stopped", at_once := StopsAtOnce())
    assert not at_once.steps
    resume(tmp_path / "stopped")
    assert left(tmp_path / "stopped") == left(tmp_path / "unbroken")


@pytest.mark.parametrize("call", [1, 2, 3, 5, 6], ids=lambda call: f"batch {call}")
def test_a_stop_inside_an_evaluation(tmp_path: Path, call: int) -> None:
    """Two evaluations of three batches each: the one that was cut short is made again, whole, and nothing twice."""
    settings = {"eval.metrics": [{"name": "scripted", "values": [0.5, 0.6, 0.7]}], "eval.batch_size": 22}
    run(tmp_path / "unbroken", settings)
    with nth_call(probe_parts.Bells, "metric", call, terminate):
        stopped(tmp_path / "stopped", settings=settings)
    resume(tmp_path / "stopped")
    assert _losses(tmp_path / "stopped") == _losses(tmp_path / "unbroken")
    assert left(tmp_path / "stopped")[0] == left(tmp_path / "unbroken")[0]


def _losses(folder: Path) -> list[dict[str, Any]]:
    return [
        {key: value for key, value in event.items() if "scripted" not in key} for event in Folder(folder).log.events()
    ]


@pytest.mark.parametrize("call", [1, 2, 4])
def test_a_stop_inside_accumulation(tmp_path: Path, call: int) -> None:
    """The step is finished first: half of a step cannot be saved."""
    run(tmp_path / "unbroken", accumulate=3)
    with nth_call(probe_parts.Bells, "loss", call, terminate):
        stopped(tmp_path / "stopped", listener := Recorder(), accumulate=3)
    assert [step.number for step in listener.steps] == list(range(1, (call - 1) // 3 + 2))
    resume(tmp_path / "stopped")
    assert left(tmp_path / "stopped") == left(tmp_path / "unbroken")


def test_a_stop_at_every_step_of_the_run(tmp_path: Path) -> None:
    settings = {"model.dropout": 0.5, "optimizer.momentum": 0.9}
    run(tmp_path / "unbroken", settings)
    stopped(tmp_path / "stopped", stops_at(1), settings)
    for number in range(2, 2 * PER_EPOCH + 1):
        stopped_again(tmp_path / "stopped", stops_at(number))
    resume(tmp_path / "stopped")
    assert left(tmp_path / "stopped") == left(tmp_path / "unbroken")


def test_a_stop_as_patience_ends_the_run(tmp_path: Path) -> None:
    """The resumed run finds that it is over already; it does not train on."""
    settings = {"eval.metrics": [{"name": "scripted", "values": [0.5, 0.4, 0.9, 0.9]}], "train.monitor": "val/scripted"}

    class StopsWithPatience(Recorder):
        @hookimpl
        def zoo_evaluated(self, run: Any, figures: dict[str, float]) -> None:
            super().zoo_evaluated(run, figures)
            if not run.best:
                terminate()

    unbroken = run(tmp_path / "unbroken", settings, epochs=4, patience=1)
    stopped(tmp_path / "stopped", StopsWithPatience(), settings, epochs=4, patience=1)
    assert resume(tmp_path / "stopped", listener := Recorder())["steps"] == unbroken["steps"] == 2 * PER_EPOCH
    assert not listener.steps
    assert left(tmp_path / "stopped") == left(tmp_path / "unbroken")


def test_a_signal_to_the_workers_too(tmp_path: Path) -> None:
    """A terminal's Ctrl-C and a batch system's SIGTERM go to the whole process group, here while a sample is loaded."""
    settings = {"dataset": {"name": "signalling", "flag": str(tmp_path / "flag")}}
    run(tmp_path / "unbroken", settings, workers=2)
    (tmp_path / "flag").touch()
    stopped(tmp_path / "stopped", settings=settings, workers=2)
    assert not (tmp_path / "flag").exists()
    resume(tmp_path / "stopped")
    assert left(tmp_path / "stopped") == left(tmp_path / "unbroken")


def test_another_number_of_threads_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoo.training.hardware.slowdown_of_threads", lambda: 1.0)
    stopped(tmp_path, stops_at(1))
    torch.set_num_threads(2)
    resume(tmp_path)
    [message] = caplog.messages
    assert "used 1 threads and now has 2" in message and "cannot end exactly" in message


def test_the_same_number_of_threads_is_not(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    stopped(tmp_path, stops_at(1))
    resume(tmp_path)
    assert caplog.messages == []


def test_a_complete_run_is_not_resumed(tmp_path: Path) -> None:
    run(tmp_path)
    before = left(tmp_path)
    with pytest.raises(InputError, match="is complete"):
        resume(tmp_path)
    assert left(tmp_path) == before


@pytest.mark.parametrize("schedule", ["cosine", "one_cycle", "constant"])
def test_a_run_goes_on_beyond_its_end_as_a_longer_one_would(
    schedule: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Rates against those of a run that was as long from the beginning; a word says what becomes of the schedule."""
    settings = {"schedule": schedule, "model.dropout": 0.5}
    run(tmp_path / "long", settings, whole := Recorder(), epochs=5)
    run(tmp_path / "run", settings, epochs=2)
    resume(tmp_path / "run", more := Recorder(), overrides={"train.epochs": 5})
    assert [step.number for step in more.steps] == list(range(2 * PER_EPOCH + 1, 5 * PER_EPOCH + 1))
    assert [step.lr for step in more.steps] == pytest.approx([step.lr for step in whole.steps[2 * PER_EPOCH :]])
    assert [message for message in caplog.messages if "the schedule goes on as one of 25 steps" in message]
    recipe = Folder(tmp_path / "run").read("recipe.toml", lambda file: file.read_text())
    assert "epochs = 5" in recipe
    resumed, straight = (Folder(tmp_path / name).results() for name in ("run", "long"))
    assert resumed and straight and resumed["steps"] == straight["steps"] == 5 * PER_EPOCH
    if schedule == "constant":
        assert left(tmp_path / "run")[0] == left(tmp_path / "long")[0]


def test_a_run_that_is_resumed_further_may_be_stopped_again(tmp_path: Path) -> None:
    run(tmp_path / "unbroken", {"model.dropout": 0.5}, epochs=4)
    run(tmp_path / "run", {"model.dropout": 0.5}, epochs=2)
    with pytest.raises(Stopped):
        resume(tmp_path / "run", stops_at(2 * PER_EPOCH + 3), overrides=["train.epochs=4"])
    assert Folder(tmp_path / "run").results() is None
    resume(tmp_path / "run")
    assert left(tmp_path / "run")[0] == left(tmp_path / "unbroken")[0]


def test_an_end_that_lies_behind_is_refused(tmp_path: Path) -> None:
    run(tmp_path / "run", epochs=3)
    before = left(tmp_path / "run")
    with pytest.raises(InputError, match=r"has done 15 steps \(3 epochs\), and 10 are no more"):
        resume(tmp_path / "run", overrides={"train.epochs": 2})
    assert left(tmp_path / "run") == before and Folder(tmp_path / "run").results() is not None


def test_no_folder_and_an_empty_one(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(InputError, match="no run folder"):
            resume(path)


def test_the_exit_status_says_that_the_run_can_be_resumed(
    tmp_path: Path, zoo: Command, ring: Callable[..., Any]
) -> None:
    with ring(3, terminate):
        stopped_run = zoo("run", RECIPE, "--out", tmp_path / "run")
    assert stopped_run.status == 75
    assert "Traceback" not in stopped_run.stderr
    assert zoo("resume", tmp_path / "run", "--json").status == 0
    assert zoo("resume", tmp_path / "run").status == 2


def test_a_second_signal_does_not_wait(tmp_path: Path, zoo: Command, ring: Callable[..., Any]) -> None:
    """130, and the run can still be resumed from the checkpoint before."""

    def twice() -> None:
        terminate()
        terminate()

    run(tmp_path / "unbroken")
    with ring(12, twice):
        assert zoo("run", RECIPE, "--out", tmp_path / "run").status == 130
    assert zoo("resume", tmp_path / "run").status == 0
    assert left(tmp_path / "run") == left(tmp_path / "unbroken")


@pytest.fixture
def ring() -> Callable[..., Any]:
    return lambda number, action: nth_call(probe_parts.Bells, "loss", number, action)


def test_a_failed_run_is_resumed_from_its_last_checkpoint(tmp_path: Path) -> None:
    """What failed for a reason outside (a dead driver, here an exception of a listener) can go on."""

    def fail(number: int) -> None:
        if number == 7:
            raise RunFailed("the driver is gone")

    run(tmp_path / "unbroken")
    with pytest.raises(RunFailed):
        run(tmp_path / "failed", listener=Recorder(fail))
    resume(tmp_path / "failed", listener := Recorder())
    assert listener.steps[0].number == PER_EPOCH + 1
    assert left(tmp_path / "failed") == left(tmp_path / "unbroken")


def test_signals_outside_a_run_are_python_s_own(tmp_path: Path) -> None:
    """A run leaves the handlers as it found them."""
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with pytest.raises(Stopped):
        run(tmp_path, listener=stops_at(1))
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
