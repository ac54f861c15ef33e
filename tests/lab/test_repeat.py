"""Several seeds of one recipe: intervals and tests against scipy and tables, and a stop that changes nothing."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Command
from tests.zoo.training import RECIPE, Recorder, heard_by, left, terminate
from zoo import InputError, Stopped, hookimpl
from zoo_lab.repeat import compare_repeats, interval, is_repeat, run_repeats
from zoo_lab.series import verdict


def test_the_interval_is_that_of_students_table() -> None:
    """2.776 is the table's value of t for 4 degrees of freedom and 95%, two-sided; the values' mean is 3."""
    half = 2.776 * math.sqrt(2.5) / math.sqrt(5)
    found = interval([1.0, 2.0, 3.0, 4.0, 5.0])
    assert found == {"mean": 3.0, "low": pytest.approx(3 - half, abs=1e-3), "high": pytest.approx(3 + half, abs=1e-3)}


def written(folder: Path, **figures: list[float]) -> Path:
    """A folder with the results of `zoo repeat`."""
    folder.mkdir()
    repeats = {name: {"values": values} for name, values in figures.items()}
    (folder / "results.json").write_text(json.dumps({"figures": {}, "repeats": repeats}))
    return folder


def test_a_difference_is_judged_by_welch(tmp_path: Path) -> None:
    """Worked out by hand: s2/n are 0.5 and 0.02, so t = 2 / sqrt(0.52) with (0.52^2 / (0.5^2 / 4 + 0.02^2 / 4)) = 4.32
    degrees of freedom. A test that took the variances for equal would have 8."""
    from scipy.stats import t

    first = written(tmp_path / "a", accuracy=[1.0, 2.0, 3.0, 4.0, 5.0], loss=[1.0, 1.1, 0.9], only=[1.0, 2.0])
    second = written(tmp_path / "b", accuracy=[4.6, 4.8, 5.0, 5.2, 5.4], loss=[0.1, 0.2, 0.15])
    compared = compare_repeats(first, second)
    assert compared["runs"] == [str(first), str(second)]
    assert set(compared["figures"]) == {"accuracy", "loss"}
    accuracy, freedom = compared["figures"]["accuracy"], 0.52**2 / (0.5**2 / 4 + 0.02**2 / 4)
    assert accuracy["p"] == pytest.approx(2 * t.sf(2 / math.sqrt(0.52), freedom))
    half = t.ppf(0.975, freedom) * math.sqrt(0.52)
    assert accuracy["difference"] == pytest.approx({"mean": 2.0, "low": 2 - half, "high": 2 + half})
    assert accuracy["first"] == interval([1.0, 2.0, 3.0, 4.0, 5.0])
    assert accuracy["verdict"] == ("more" if accuracy["p"] < 0.05 else "undecided")
    assert compared["figures"]["loss"]["verdict"] == "less"
    assert compare_repeats(second, first)["figures"]["loss"]["verdict"] == "more"


def test_what_may_be_chance_is_undecided(tmp_path: Path) -> None:
    """Also where no run differs from another at all, and Welch's statistic would be 0 / 0."""
    first = written(tmp_path / "a", wide=[0.1, 0.9, 0.5], same=[0.5, 0.5], fixed=[0.5, 0.5], nan=[math.nan, 1.0])
    second = written(tmp_path / "b", wide=[0.2, 1.0, 0.7], same=[0.5, 0.5], fixed=[0.6, 0.6], nan=[1.0, 1.0])
    figures = compare_repeats(first, second)["figures"]
    assert {name: stated["verdict"] for name, stated in figures.items()} == {
        "wide": "undecided", "same": "undecided", "fixed": "more", "nan": "undecided",
    }  # fmt: skip
    assert figures["fixed"]["difference"] == pytest.approx({"mean": 0.1, "low": 0.1, "high": 0.1})


def test_folders_of_something_else_are_no_repeats(tmp_path: Path) -> None:
    repeat = written(tmp_path / "a", loss=[1.0, 2.0])
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "results.json").write_text('{"figures": {}}')
    assert is_repeat(repeat) and not is_repeat(tmp_path / "run") and not is_repeat(tmp_path / "none")
    with pytest.raises(InputError, match="run has no results of several seeds"):
        compare_repeats(repeat, tmp_path / "run")


def test_the_command_compares_two_repeats(tmp_path: Path, zoo: Command) -> None:
    """A row for each figure, with both means, the difference and the verdict."""
    first = written(tmp_path / "a", loss=[1.0, 1.1, 0.9])
    second = written(tmp_path / "b", loss=[0.1, 0.2, 0.15])
    head, row = zoo("compare", first, second).stdout.splitlines()
    assert head.split()[:3] == ["figure", str(first), str(second)]
    assert row.split()[:2] == ["loss", "1"] and row.split()[-1] == "less"
    assert json.loads(zoo("compare", first, second, "--json").stdout) == compare_repeats(first, second)


def test_a_bound_holds_where_it_holds_for_all_values() -> None:
    """The value that is said is the one with the smallest margin."""
    assert verdict([0.9, 0.8, 0.95], {"min": 0.8}) == {"value": 0.8, "min": 0.8, "met": True}
    assert verdict([0.9, 0.7, 0.95], {"min": 0.8}) == {"value": 0.7, "min": 0.8, "met": False}
    assert verdict([0.2, 0.5], {"min": 0.1, "max": 0.4}) == {"value": 0.5, "min": 0.1, "max": 0.4, "met": False}
    assert verdict([0.5, math.nan], {"max": 0.6})["met"] is False
    assert verdict([], {"max": 0.4}) == {"value": None, "max": 0.4, "met": False}


# Runs


@pytest.mark.usefixtures("probe_parts")
class TestRuns:
    def test_runs_differ_in_their_seed_and_what_varies(self, tmp_path: Path) -> None:
        """Each is what the recipe with that seed makes; the figures are theirs, the baselines those of their data."""
        import zoo

        results = run_repeats(
            RECIPE, ["train.epochs=1", "train.seed=3"], seeds=3, vary=["dataset.seed"], out=tmp_path / "all"
        )
        runs = [json.loads((tmp_path / "all" / f"seed-{seed}" / "results.json").read_bytes()) for seed in (3, 4, 5)]
        overrides = {"train.epochs": 1, "train.seed": 4, "dataset.seed": 4}
        zoo.run(RECIPE, overrides, out=tmp_path / "alone")
        assert left(tmp_path / "alone") == left(tmp_path / "all" / "seed-4")
        repeated = results["repeats"]["val/loss"]
        assert repeated["values"] == [run["figures"]["val/loss"] for run in runs]
        assert len(set(repeated["values"])) == 3
        assert results["figures"]["val/loss"] == repeated["mean"] == pytest.approx(sum(repeated["values"]) / 3)
        for name, value in repeated["baselines"].items():
            assert value == pytest.approx(sum(run["baselines"]["val/loss"][name] for run in runs) / 3)

    def test_stopped_in_the_second_run_it_goes_on_there(self, tmp_path: Path) -> None:
        class StopsInSecond(Recorder):
            begun = 0

            @hookimpl
            def zoo_run_started(self, run: Any) -> None:
                self.begun += 1

        stopping = StopsInSecond(lambda step: terminate() if stopping.begun == 2 and step == 3 else None)
        with heard_by(stopping), pytest.raises(Stopped, match="the same command with --out"):
            run_repeats(RECIPE, seeds=2, out=tmp_path / "run")
        results = run_repeats(RECIPE, seeds=2, out=tmp_path / "run")
        unbroken = run_repeats(RECIPE, seeds=2, out=tmp_path / "unbroken")
        assert results["repeats"] == unbroken["repeats"]
        with pytest.raises(InputError, match="other settings"):
            run_repeats(RECIPE, seeds=3, out=tmp_path / "run")

    def test_the_command_prints_a_row_for_each_figure(self, tmp_path: Path, write: Any, zoo: Command) -> None:
        write("probe.toml", RECIPE.read_text() + '\n[expect]\n"val/loss" = { max = 1.0 }\n')
        finished = zoo(
            "repeat", "probe.toml", "train.epochs=1", "--seeds", "2", "--vary", "dataset.seed", "--out", "run"
        )
        assert finished.status == 0, finished.stderr
        head, row = finished.stdout.splitlines()
        assert head.split() == ["figure", "mean", "95%", "interval", "runs", "baseline"]
        assert row.split()[0] == "val/loss"
        assert "`val/loss` holds for every seed" in finished.stderr
        missed = zoo(
            "repeat", "probe.toml", 'expect={"val/loss"={max=1e-9}}', "train.epochs=1", "--seeds", "2", "--json"
        )
        assert missed.status == 1 and not json.loads(missed.stdout)["expect"]["val/loss"]["met"]
        assert zoo("repeat", "probe.toml", "--vary", "dataset.sed").status == 2

    def test_one_seed_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="one run says nothing"):
            run_repeats(RECIPE, seeds=1, out=tmp_path / "run")
