"""Every shipped recipe in a short form: stopped within an epoch and resumed, it ends as unbroken, bit for bit.

What it saved is loaded again and scores alike, as at the end of every run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.test_recipes import RECIPES, skip_without_data
from tests.zoo.training import heard_by, stops_at
from zoo.errors import Stopped
from zoo.jobs.afterwards import checked_load
from zoo.jobs.experiment import Experiment, prepare
from zoo.jobs.live import LiveRun, resume_run, start_run
from zoo.jobs.progress import Progress
from zoo.jobs.recipe import take_up
from zoo.jobs.train import train_steps
from zoo.recipes.recipe import Recipe, load_recipe
from zoo.runs.folder import STATE_TENSORS, WEIGHTS

STEPS, STOP_AT = 4, 2


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_a_resumed_run_is_the_unbroken_one(name: str, tmp_path: Path) -> None:
    with skip_without_data():
        _run(name, tmp_path / "unbroken")
    with pytest.raises(Stopped), heard_by(stops_at(STOP_AT)):
        _run(name, tmp_path / "broken")
    with resume_run(tmp_path / "broken") as (experiment, live):
        progress = take_up(experiment, live, live.load() or {})
        assert progress.step == STOP_AT
        _train(experiment, live, progress)
    for file in (WEIGHTS, STATE_TENSORS):
        assert (tmp_path / "broken" / file).read_bytes() == (tmp_path / "unbroken" / file).read_bytes(), file


def _run(name: str, folder: Path) -> None:
    experiment = prepare(_short(name))
    assert experiment.steps_per_epoch > STOP_AT, "it would be stopped at an epoch's end"
    with start_run(experiment, folder) as live:
        _train(experiment, live, Progress())


def _train(experiment: Experiment, live: LiveRun, progress: Progress) -> None:
    train_steps(experiment, live, progress, limit=1)
    checked_load(experiment, live.files, progress)
    live.finish({})


def _short(name: str) -> Recipe:
    small: dict[str, Any] = {"train.batch_size": 4, "train.device": "cpu", "eval.batch_size": 8}
    recipe = load_recipe(RECIPES[name], small, quick=True, shipped=RECIPES)
    settings = recipe.table["train"]
    for key in ("epochs", "evaluate_every_epochs", "evaluate_every_steps"):
        settings.pop(key, None)
    settings.update(steps=STEPS, accumulate=1)
    recipe.table.pop("sweep", None)  # it may vary the epochs
    return recipe
