"""The study of a sweep: each trial is handed out once, whoever asks, and what a process died over is taken up again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.zoo.training import RECIPE
from zoo import InputError
from zoo_lab.sweep.plan import Plan, make_plan
from zoo_lab.sweep.report import run_sweep
from zoo_lab.sweep.settings import Sweep
from zoo_lab.sweep.study import JOURNAL, Study, Trial

LR = {"low": 1e-3, "high": 0.3, "log": True}
SPACE = {"optimizer.lr": LR, "model.width": {"low": 2, "high": 5}, "optimizer": [{"name": "sgd"}, {"name": "adam"}]}


def plan_of(folder: Path, **settings: Any) -> Plan:
    folder.mkdir(exist_ok=True)
    return Plan(folder, "r", [], False, Sweep(**{"over": SPACE, "trials": 6, "neighbours": 3, **settings}))


def work(*studies: Study) -> list[Trial]:
    """Do all trials of a study, each by the next of those who work on it; the figure is the rate."""
    number = 0
    while not studies[0].is_over():
        study = studies[number % len(studies)]
        with study.next() as taken:
            assert taken is not None
            study.end(taken[0].number, "done", taken[0].point["optimizer.lr"])
        number += 1
        if study.is_over():
            studies[0].look_around()
            studies[-1].look_around()
    return studies[0].trials()


@pytest.mark.parametrize("method", ["random", "tpe"])
def test_points_follow_from_the_seed_whoever_draws_them(method: str, tmp_path: Path) -> None:
    """One process alone, and two in turn; within the bounds, whole where both ends are, six digits where not."""
    trials = {}
    for name, workers in (("alone", 1), ("two", 2)):
        plan = plan_of(tmp_path / name, method=method, trials=14)
        trials[name] = work(*[Study(plan) for _ in range(workers)])
    assert trials["alone"] == trials["two"]
    points = [trial.point for trial in trials["alone"]]
    assert all(1e-3 <= point["optimizer.lr"] <= 0.3 and 2 <= point["model.width"] <= 5 for point in points)
    assert {type(point["model.width"]) for point in points} == {int}
    assert all(float(f"{point['optimizer.lr']:.6g}") == point["optimizer.lr"] for point in points)
    assert len({point["optimizer.lr"] for point in points}) > 10
    assert {point["optimizer"]["name"] for point in points} == {"sgd", "adam"}
    other = work(Study(plan_of(tmp_path / "other", method=method, trials=14, seed=1)))
    assert not {point["optimizer.lr"] for point in points} & {trial.point["optimizer.lr"] for trial in other}


def test_neighbours_wait_once_and_are_near_the_best(tmp_path: Path) -> None:
    """Both processes ask for them; the best of the search stays the best, though a neighbour is better."""
    plan = plan_of(tmp_path / "sweep")
    trials = work(Study(plan), Study(plan))
    assert [trial.near for trial in trials] == [False] * 6 + [True] * 3
    best = Study(plan).best()
    assert best is not None and not best.near and best.value == min(trial.value or 9 for trial in trials[:6])
    assert all(abs(trial.point["model.width"] - best.point["model.width"]) <= 1 for trial in trials[6:])


def test_a_trial_is_worked_on_by_one_process(tmp_path: Path) -> None:
    plan = plan_of(tmp_path / "sweep", trials=2)
    first, second, third = Study(plan), Study(plan), Study(plan)
    with first.next() as one, second.next() as two, third.next() as none:
        assert one and two and none is None
        assert (one[0].number, two[0].number) == (0, 1)
        assert not third.is_over()
    with third.next() as again:  # given back unfinished
        assert again is not None and again[0].number == 0 and again[0].point == one[0].point


def test_what_a_process_died_over_is_taken_up(tmp_path: Path) -> None:
    plan = plan_of(tmp_path / "sweep", trials=2)
    Study(plan)
    child = os.fork()
    if child == 0:
        with Study(plan).next():
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    study = Study(plan)
    assert [trial.state for trial in study.trials()] == ["running", "waiting"]
    point = study.trials()[0].point
    with study.next() as taken:
        assert taken is not None and (taken[0].number, taken[0].point) == (0, point)


def test_half_a_line_of_the_journal_is_no_end_of_it(tmp_path: Path) -> None:
    """As a power failure leaves it; what was whole stays."""
    plan = plan_of(tmp_path / "sweep")
    with Study(plan).next() as taken:
        assert taken is not None
    whole = (plan.folder / JOURNAL).read_bytes()
    (plan.folder / JOURNAL).write_bytes(whole + b'{"op_code": 5, "wor')
    trials = Study(plan).trials()
    assert (plan.folder / JOURNAL).read_bytes().startswith(whole)
    assert [trial.state for trial in trials] == ["running"] + ["waiting"] * 5
    assert len(work(Study(plan))) == 9


def test_without_optuna_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(InputError, match=r"sweeps need Optuna\n.*pip install 'zoo-recipes\[sweep\]'"):
        Study(plan_of(tmp_path / "sweep"))


@pytest.mark.usefixtures("probe_parts")
def test_a_new_range_takes_the_place_of_the_recipe_s(tmp_path: Path) -> None:
    """`--over` is merged over `[sweep.over]`, key by key, and the settings hold for both."""
    over = ["optimizer.lr=[0.1, 0.2]", "model.width={low=2, high=5}"]
    plan = make_plan(str(RECIPE), ['sweep.over={"optimizer.lr" = [0.3], "train.seed" = [1]}'], over, out=tmp_path / "a")
    assert plan.settings.over == {
        "optimizer.lr": [0.1, 0.2], "train.seed": [1], "model.width": {"low": 2, "high": 5},
    }  # fmt: skip


# Processes


TEXTS = ["train.epochs=1", "sweep.trials=4", "sweep.neighbours=2", "expect={}"]
OVER = "optimizer.lr={low=1e-3, high=0.3, log=true}"


def command(out: Path, *options: str) -> subprocess.Popen[str]:
    arguments = ["sweep", "tiny_curve", *TEXTS, "--over", OVER, "--out", str(out), *options]
    return subprocess.Popen([sys.executable, "-m", "zoo", *arguments], stderr=subprocess.PIPE, text=True)


def tried(stderr: str) -> list[int]:
    lines = [line.split() for line in stderr.splitlines() if line.startswith("trial ")]
    return [int(words[1].rstrip(":")) for words in lines]


def lasting(results: dict[str, Any]) -> list[dict[str, Any]]:
    return [{key: value for key, value in trial.items() if key != "seconds"} for trial in results["trials"]]


def test_two_commands_on_one_folder_do_every_trial_once(tmp_path: Path) -> None:
    """Each trial is begun by one of them, and both end with the verdict that one process alone comes to."""
    processes = [command(tmp_path / "both") for _ in range(2)]
    said = [process.communicate(timeout=300)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    assert Counter(tried(said[0]) + tried(said[1])) == Counter(range(6))
    assert tried(said[0]) and tried(said[1])
    alone = run_sweep("tiny_curve", TEXTS, [OVER], out=tmp_path / "alone")
    again = run_sweep("tiny_curve", TEXTS, [OVER], out=tmp_path / "both")
    assert lasting(again) == lasting(alone) and again["text"] == alone["text"]


def test_workers_stop_with_their_sweep(tmp_path: Path) -> None:
    """A signal to the command reaches its workers, each of which leaves a run that goes on, and none is left behind."""
    process = command(tmp_path / "sweep", "--workers", "2", "train.epochs=4000")
    deadline = time.monotonic() + 120
    while len(list(tmp_path.glob("sweep/trial-*/metrics.jsonl"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.terminate()
    _, said = process.communicate(timeout=120)  # the workers hold the pipe open, too
    assert process.returncode == 75, said
    assert "Traceback" not in said
    plan = make_plan("tiny_curve", [*TEXTS, "train.epochs=4000"], [OVER], out=tmp_path / "sweep")
    assert [trial.state for trial in Study(plan).trials()] == ["running"] * 2 + ["waiting"] * 2
    assert (plan.folder / "trial-0000" / "checkpoint").is_dir()
