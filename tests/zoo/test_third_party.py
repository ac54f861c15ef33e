"""A stranger's plugin, installed as a distribution of its own and used through the command line alone."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.distributions import THIRD_PARTY

Finished = subprocess.CompletedProcess[str]
Shell = Callable[..., Finished]


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """`shell("zoo", "list")` runs `python -m zoo list` in an empty folder, with the plugin installed."""
    site, folder = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("empty")
    environment = {**os.environ, "PYTHONPATH": str(site)}
    environment.pop("PYTEST_ADDOPTS", None)

    def run(*arguments: str | Path) -> Finished:
        return subprocess.run(
            [sys.executable, "-m", *map(str, arguments)], cwd=folder, env=environment, capture_output=True, text=True
        )

    installed = run("pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target", site, THIRD_PARTY)
    assert installed.returncode == 0, installed.stderr
    return run


@pytest.fixture(scope="module")
def run_folder(shell: Shell, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `zoo run tiny_curve` leaves; the recipe's own [expect] decides on its status."""
    folder = tmp_path_factory.mktemp("runs") / "curve"
    finished = shell("zoo", "run", "tiny_curve", "--out", folder)
    assert finished.returncode == 0, finished.stderr
    return folder


def test_list_shows_its_components(shell: Shell) -> None:
    rows = json.loads(shell("zoo", "list", "--json").stdout)
    assert {row["name"] for row in rows if row["plugin"] == "tiny"} == {
        "tiny_mlp", "sine_curve", "curve", "tiny_curve",
    }  # fmt: skip


def test_its_recipe_is_right(shell: Shell) -> None:
    finished = shell("zoo", "check", "tiny_curve")
    assert (finished.returncode, finished.stderr) == (0, "1 recipe is right\n")


def test_a_run_says_which_version_it_used(run_folder: Path) -> None:
    environment = json.loads((run_folder / "environment.json").read_text())
    assert "0.3.0" in json.dumps(environment)


def test_predict(shell: Shell, run_folder: Path) -> None:
    """The recipe's [expect] bounds the mean squared error by 0.1: the sine of pi / 2 is within 0.3, and that of 0."""
    finished = shell("zoo", "predict", run_folder, "1.5708", "0")
    assert finished.returncode == 0, finished.stderr
    values = [json.loads(line)["value"] for line in finished.stdout.splitlines()]
    assert values == pytest.approx([1, 0], abs=0.3)


def test_eval_says_what_the_run_said(shell: Shell, run_folder: Path) -> None:
    figures = json.loads(shell("zoo", "eval", run_folder, "--json").stdout)["figures"]
    assert figures == pytest.approx(json.loads((run_folder / "results.json").read_text())["figures"])


def test_a_complete_run_is_not_resumed(shell: Shell, run_folder: Path) -> None:
    finished = shell("zoo", "resume", run_folder)
    assert finished.returncode == 2
    assert "there is nothing to resume" in finished.stderr


def test_it_passes_the_conformance_kit(shell: Shell) -> None:
    finished = shell("pytest", "--zoo-plugin", "tiny", "-p", "no:cacheprovider")
    assert finished.returncode == 0, finished.stdout
    assert re.search(r"\d\d passed", finished.stdout) and "failed" not in finished.stdout


def test_the_kit_does_nothing_unless_it_is_asked(shell: Shell) -> None:
    """Its entry point has pytest load it in every run of every project."""
    finished = shell("pytest", "-p", "no:cacheprovider")
    assert finished.returncode == pytest.ExitCode.NO_TESTS_COLLECTED
