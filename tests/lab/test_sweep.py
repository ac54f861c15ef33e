"""Sweeps: what is tried follows from the seed, stopping loses nothing, and a plateau is told from a needle."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Command
from tests.zoo.training import RECIPE, Recorder, heard_by, terminate
from zoo import InputError, RunFailed, Stopped
from zoo_lab.sweep.plan import Plan, make_plan
from zoo_lab.sweep.report import run_sweep
from zoo_lab.sweep.settings import Sweep
from zoo_lab.sweep.space import Choices, Range, grid, neighbour, read_space
from zoo_lab.sweep.study import Trial
from zoo_lab.sweep.verdict import verdict

LR = "optimizer.lr={low=1e-3, high=0.3, log=true}"

ranges = st.builds(
    lambda low, width, log: Range(low, low * width, log), st.floats(1e-5, 10), st.floats(1.5, 1e4), st.booleans()
)


# The space


@given(dimension=ranges, share=st.floats(0, 1), seed=st.integers(0, 999))
def test_a_range_is_kept_to_and_its_neighbours_are_near(dimension: Range, share: float, seed: int) -> None:
    value = dimension.legible(dimension.low + share * (dimension.high - dimension.low))
    near = dimension.near(value, Random(seed))
    for number in (value, near):
        assert dimension.low <= number <= dimension.high
    scale = math.log if dimension.log else float
    width = scale(dimension.high) - scale(dimension.low)
    assert abs(scale(near) - scale(value)) <= 0.1 * width + 1e-4 * width + 1e-4 * abs(scale(value))


def test_whole_ends_make_whole_numbers() -> None:
    """By hand: a tenth of the range's width is one, up and down."""
    assert {Range(0, 10).near(5, Random(seed)) for seed in range(100)} == {4, 5, 6}
    assert isinstance(Range(0, 10).near(5, Random(0)), int)


def test_neighbours_of_a_choice_stand_beside_it() -> None:
    dimension = Choices([[16], [32], [64], [128]])
    near = [dimension.near([32], Random(seed)) for seed in range(50)]
    assert [128] not in near and [16] in near and [64] in near


def test_a_neighbour_is_another_point_where_there_is_one() -> None:
    space = {"a": Choices([1, 2, 3]), "b": Range(0.0, 1.0)}
    assert all(neighbour(space, {"a": 2, "b": 0.5}, 0, number) != {"a": 2, "b": 0.5} for number in range(50))
    assert neighbour({"a": Choices([1])}, {"a": 1}, 0, 0) == {"a": 1}


def test_a_grid_is_all_combinations() -> None:
    space = read_space({"a": [1, 2], "b": ["x", "y"]})
    assert grid(space) == [{"a": 1, "b": "x"}, {"a": 1, "b": "y"}, {"a": 2, "b": "x"}, {"a": 2, "b": "y"}]


@pytest.mark.parametrize(
    "values",
    ["3", "[]", "{low=1}", "{low=2, high=1}", "{low=0, high=1, log=true}", "{low='a', high=1}",
     "{low=0, high=1, lgo=true}", "{low=true, high=2}"],
)  # fmt: skip
def test_what_is_neither_list_nor_range_is_refused(values: str, tmp_path: Path) -> None:
    """As `--over` gives it, too; tests/zoo/recipe_mistakes.py has what is said of each."""
    with pytest.raises(InputError, match=r"`optimizer.lr`(.|\n)*low = 1e-4, high = 0.1"):
        make_plan(str(RECIPE), [], [f"optimizer.lr={values}"], out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ["optimizer.lr", "optimizer.lr=", "optimizer.lr=[0.1, cpu]"])
def test_what_is_no_toml_value_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"does not say what to vary(.|\n)*--over optimizer.lr="):
        make_plan(str(RECIPE), [], [text])


def test_nothing_to_vary_is_refused() -> None:
    with pytest.raises(InputError, match="varies nothing"):
        make_plan(str(RECIPE), [], [])


# The verdict


def plan_of(tmp_path: Path, **settings: Any) -> Plan:
    over = {"lr": {"low": 0.0, "high": 1.0}}
    return Plan(tmp_path, "r", [], False, Sweep(over=over, figure="val/accuracy", mode="max", **settings))


def trials_of(values: list[float], near: list[float]) -> list[Trial]:
    searched = [Trial(n, {"lr": n / 100}, False, "done", value, {}, {}, 1.0, "") for n, value in enumerate(values)]
    around = [Trial(100 + n, {"lr": 0.5}, True, "done", value, {}, {}, 1.0, "") for n, value in enumerate(near)]
    return [*searched, *around]


def test_a_plateau_is_smooth_and_a_needle_is_not(tmp_path: Path) -> None:
    plan, values = plan_of(tmp_path), [0.5, 0.6, 0.55, 0.9]
    plateau = verdict(plan, trials_of(values, [0.88, 0.85, 0.91]))
    needle = verdict(plan, trials_of(values, [0.6, 0.55, 0.9]))
    assert plateau["smooth"] is True and needle["smooth"] is False
    assert plateau["best"] == {"trial": 3, "value": 0.9, "point": {"lr": 0.03}}
    assert "trust" in plateau["text"] and "lucky spike" in needle["text"]
    assert verdict(plan, trials_of(values, []))["smooth"] is None


def test_small_figures_are_the_good_ones_where_the_recipe_says_so(tmp_path: Path) -> None:
    settings = Sweep(over={"lr": [1, 2]}, figure="val/loss", mode="min")
    found = verdict(Plan(tmp_path, "r", [], False, settings), trials_of([3.0, 1.0, 2.0], [1.1]))
    assert found["best"]["value"] == 1.0 and found["smooth"] is True


# The job


@pytest.fixture(autouse=True)
def probe(probe_parts: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo_lab.sweep.report.surface_plots", lambda plan, trials: [("plot", b"a picture")])


def sweep(out: Path, *overrides: str, over: tuple[str, ...] = (LR,), **settings: Any) -> dict[str, Any]:
    texts = ["train.epochs=1", "sweep.trials=4", "sweep.neighbours=2", *overrides]
    return run_sweep(str(RECIPE), texts, over, out=out, **settings)


def test_trials_are_runs_and_the_best_is_the_smallest_loss(tmp_path: Path) -> None:
    results = sweep(tmp_path)
    values = [trial["value"] for trial in results["trials"]]
    assert [trial["near"] for trial in results["trials"]] == [False] * 4 + [True] * 2
    assert results["best"]["value"] == min(values[:4])
    for trial in results["trials"]:
        own = json.loads((tmp_path / f"trial-{trial['number']:04d}" / "results.json").read_bytes())
        assert own["figures"]["val/loss"] == trial["value"]
        recipe = (tmp_path / f"trial-{trial['number']:04d}" / "recipe.toml").read_text()
        assert f"lr = {trial['point']['optimizer.lr']}" in recipe
    with (tmp_path / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["val/loss"]) for row in rows] == values
    assert "plot" in (tmp_path / "report.html").read_text()


def test_a_grid_is_tried_whole(tmp_path: Path) -> None:
    over = ("optimizer.lr=[0.01, 0.1]", "model.width=[4, 8]")
    results = sweep(tmp_path, "sweep.method=grid", "sweep.neighbours=0", over=over)
    assert [trial["point"] for trial in results["trials"]] == [
        {"optimizer.lr": lr, "model.width": width} for lr in (0.01, 0.1) for width in (4, 8)
    ]


def test_whole_components_can_be_varied(tmp_path: Path) -> None:
    models = [{"name": "net", "width": 4}, {"name": "net", "width": 16, "norm": True}]
    over = (f"model={models}".replace("'", '"').replace(": ", " = ").replace("True", "true"),)
    results = sweep(tmp_path, "sweep.method=grid", "sweep.neighbours=0", over=over)
    assert [trial["point"]["model"] for trial in results["trials"]] == models
    assert "width = 16\nnorm = true" in (tmp_path / "trial-0001" / "recipe.toml").read_text().replace(
        "dropout = 0.0\n", ""
    )


def test_a_stopped_sweep_goes_on_where_it_was(tmp_path: Path) -> None:
    whole = sweep(tmp_path / "whole")
    steps = iter(range(1000))
    listener = Recorder(lambda _: terminate() if next(steps) == 7 else None)  # within the second trial
    with heard_by(listener), pytest.raises(Stopped):
        sweep(tmp_path / "stopped")
    assert (tmp_path / "stopped" / "trial-0001" / "checkpoint").is_dir()
    assert not (tmp_path / "stopped" / "trial-0002").exists()
    again = sweep(tmp_path / "stopped")
    assert [_lasting(trial) for trial in again["trials"]] == [_lasting(trial) for trial in whole["trials"]]


def _lasting(trial: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in trial.items() if key != "seconds"}


def test_a_finished_sweep_is_not_repeated(tmp_path: Path) -> None:
    first = sweep(tmp_path)
    with heard_by(recorder := Recorder()):
        assert sweep(tmp_path) == first
    assert not recorder.steps


def test_another_sweep_does_not_go_into_its_folder(tmp_path: Path) -> None:
    sweep(tmp_path)
    with pytest.raises(InputError, match="another sweep"):
        sweep(tmp_path, "sweep.seed=3")


def test_a_trial_that_fails_costs_only_itself(tmp_path: Path) -> None:
    over = ("optimizer.lr=[0.1, 1e30]",)
    results = sweep(tmp_path, "sweep.method=grid", "sweep.neighbours=0", "train.clip_norm=1e9", over=over)
    assert [trial["state"] for trial in results["trials"]] == ["done", "failed"]
    assert "the loss is inf" in results["trials"][1]["error"]
    with pytest.raises(RunFailed, match="no trial"):
        sweep(tmp_path / "bad", "sweep.method=grid", "sweep.neighbours=0", over=("optimizer.lr=[1e30, 1e31]",))


def test_a_wrong_key_is_an_error_before_anything_runs(tmp_path: Path, zoo: Command) -> None:
    finished = zoo("sweep", RECIPE, "--over", "optimizer.lrr=[0.1]", "--out", tmp_path / "out")
    assert finished.status == 2 and "`lr`" in finished.stderr
    assert not (tmp_path / "out").exists()
    finished = zoo("sweep", RECIPE, "--over", "optimizer.lr=[0.1, -1.0]", "sweep.figure=val/accuracy",
                   "sweep.method=grid", "sweep.neighbours=0", "--out", tmp_path / "out")  # fmt: skip
    assert finished.status == 2 and "val/accuracy" in finished.stderr


def test_the_estimator_finds_the_better_half(tmp_path: Path) -> None:
    """After a few random trials, most points of TPE lie where the loss is small: rates above 0.02 here."""
    results = sweep(tmp_path, "sweep.method=tpe", "sweep.trials=16", "sweep.neighbours=0")
    late = [trial["point"]["optimizer.lr"] for trial in results["trials"][10:]]
    assert sum(lr > 0.02 for lr in late) >= 4


def test_hopeless_trials_are_left(tmp_path: Path) -> None:
    over = ("optimizer.lr=[0.1, 0.11, 0.12, 0.13, 1e-5, 0.1]",)
    settings = ("sweep.method=grid", "sweep.neighbours=0", "sweep.prune=true", "train.epochs=3")
    states = [trial["state"] for trial in sweep(tmp_path, *settings, over=over)["trials"]]
    assert states[:5] == ["done", "done", "done", "done", "pruned"]


def test_workers_do_every_trial_once(tmp_path: Path) -> None:
    """In processes of their own, which find plugins through entry points: a recipe of the third-party plugin."""
    texts = ["train.epochs=1", "sweep.trials=4", "sweep.neighbours=0", "expect={}"]
    alone = run_sweep("tiny_curve", texts, [LR], out=tmp_path / "alone")
    together = run_sweep("tiny_curve", texts, [LR], out=tmp_path / "together", workers=2)
    assert [_lasting(trial) for trial in together["trials"]] == [_lasting(trial) for trial in alone["trials"]]
