"""A GAN with two optimizers: a command, a table of recipes, a job on the public loop, and resume after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import torch

import zoo as public
from tests.conftest import Command

STRANGERS = ("zoo_gan",)
SHORT = ("train.epochs=6", "train.evaluate_every_epochs=1", "expect.val/energy_distance.max=100")
KILLED = """
import os, signal, sys
import zoo
from zoo.cli import main

class Killer:
    @zoo.hookimpl
    def zoo_step_finished(self, run, step):
        if step.number == 27:
            run.log({"train/lost": 1.0})
            os.kill(os.getpid(), signal.SIGKILL)

with zoo.listening(Killer()):
    main()
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, installed_strangers: None) -> Path:
    """An unbroken run of 6 epochs, 8 steps each."""
    folder = tmp_path_factory.mktemp("gan") / "run"
    finished = subprocess.run([sys.executable, "-m", "zoo", "gan", "ring_gan", *SHORT, "--out", str(folder)])
    assert finished.returncode == 0
    return folder


def events(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_a_killed_run_ends_as_the_unbroken_one(run: Path, tmp_path: Path) -> None:
    """SIGKILL in the middle of an epoch, at step 27 of 48: the last checkpoint is that of step 24."""
    killed = [sys.executable, "-c", KILLED, "gan", "ring_gan", *SHORT, "--out", str(tmp_path / "killed")]
    assert subprocess.run(killed).returncode == -signal.SIGKILL
    assert "train/lost" in events(tmp_path / "killed")[-1]

    resumed = subprocess.run([sys.executable, "-m", "zoo", "gan-resume", str(tmp_path / "killed")])
    assert resumed.returncode == 0
    for file in ("weights.safetensors", "metrics.jsonl", "recipe.toml"):
        assert (tmp_path / "killed" / file).read_bytes() == (run / file).read_bytes(), file


def test_the_run_folder_is_like_any_other(run: Path) -> None:
    """Recipe with full names and defaults, results beside a baseline, losses of both players, a report."""
    recipe = tomllib.loads((run / "recipe.toml").read_text())
    assert recipe["gan"]["steps"] == 1
    assert recipe["gan"]["discriminator"]["name"] == "basics/adam" and "eps" in recipe["gan"]["discriminator"]
    results = json.loads((run / "results.json").read_text())
    assert results["steps"] == 48
    assert results["baselines"]["val/energy_distance"].keys() == {"normal distribution"}
    assert {"train/loss_generator", "train/loss_discriminator"} <= set().union(*events(run))
    assert (run / "report.html").exists()


def test_the_recipe_learns_the_ring(zoo: Command, tmp_path: Path) -> None:
    """Its [expect] asks for a quarter of the energy distance that the best normal distribution has."""
    assert zoo("gan", "ring_gan", "--out", tmp_path / "run").status == 0
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    baseline = results["baselines"]["val/energy_distance"]["normal distribution"]
    assert results["figures"]["val/energy_distance"] < 0.01 < baseline / 3


def test_points_are_drawn_from_the_run(run: Path, zoo: Command) -> None:
    """In Python, and by `zoo predict` from seeds; the loaded generator is called as any module."""
    loaded = public.load(run)
    assert loaded.model(torch.zeros(5, 2)).shape == (5, 2)
    point = loaded.predict("7")["point"]
    printed = json.loads(zoo("predict", run, "7").stdout)
    assert printed["point"] == pytest.approx(point) and len(point) == 2


@pytest.mark.parametrize(
    "override, message",
    [
        ("gan.discriminator.lrr=1", "unknown key `lrr` of optimizer `adam`"),
        ("gan.discriminator.name=adm", "unknown optimizer `adm`"),
        ("gan.discriminator.params=1", "`params` of optimizer `adam` is supplied by the job"),
        ("gan.steps=0", "`steps` of [gan] is 0"),
        ("gan.step=2", "unknown key `step` of [gan]"),
    ],
)
def test_its_table_is_checked_as_those_of_the_core(zoo: Command, override: str, message: str) -> None:
    """Before anything is built; a component in it as one of the recipe."""
    finished = zoo("gan", "ring_gan", override)
    assert finished.status == 2 and message in finished.stderr


def test_a_stopped_run_says_what_goes_on_with_it(zoo: Command, tmp_path: Path) -> None:
    """And `zoo resume`, which trains otherwise, refuses it."""

    class Stopper:
        @public.hookimpl
        def zoo_step_finished(self, step: public.Step) -> None:
            if step.number == 3:
                os.kill(os.getpid(), signal.SIGTERM)

    with public.listening(Stopper()):
        finished = zoo("gan", "ring_gan", *SHORT, "--out", tmp_path / "run")
    assert finished.status == 75
    assert f"zoo gan-resume {tmp_path / 'run'}" in finished.stderr
    refused = zoo("resume", tmp_path / "run")
    assert refused.status == 2 and "`discriminator`: another kind of training left it" in refused.stderr


def test_a_complete_run_is_left_as_it_is(zoo: Command, run: Path) -> None:
    """No step is left to do: results are written again, from the checkpoint's figures."""
    before = {name: (run / name).read_bytes() for name in ("weights.safetensors", "metrics.jsonl")}
    assert zoo("gan-resume", run).status == 0
    assert before == {name: (run / name).read_bytes() for name in before}
