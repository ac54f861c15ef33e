"""Every shipped recipe in a short form: stopped within an epoch and resumed, it ends as unbroken, bit for bit.

What it saved is loaded again and scores alike, as at the end of every run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.test_recipes import RECIPES, skip_without_data
from zoo.errors import Stopped
from zoo.jobs.afterwards import checked_load
from zoo.jobs.experiment import prepare
from zoo.jobs.listeners import Listener
from zoo.jobs.progress import Progress, load_state
from zoo.jobs.run_files import write_beginnings
from zoo.jobs.signals import Stop
from zoo.jobs.train import train
from zoo.recipes.recipe import Recipe, load_recipe
from zoo.registry.catalog import Catalog
from zoo.runs.folder import STATE_TENSORS, WEIGHTS, Folder

STEPS, STOP_AT = 4, 2


class StopsAt(Listener):
    """Asks for a stop after a step."""

    def __init__(self, number: int, stop: Stop) -> None:
        self.step = lambda step: setattr(stop, "requested", step.number == number)


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_a_resumed_run_is_the_unbroken_one(name: str, tmp_path: Path) -> None:
    with skip_without_data():
        unbroken, broken = _folder(tmp_path / "unbroken"), _folder(tmp_path / "broken")
        _train(name, unbroken)
    with pytest.raises(Stopped):
        _train(name, broken, stop_at=STOP_AT)
    _train(name, broken, resumed=True)
    for file in (WEIGHTS, STATE_TENSORS):
        assert (broken.path / file).read_bytes() == (unbroken.path / file).read_bytes(), file


def _folder(path: Path) -> Folder:
    path.mkdir()
    return Folder(path)


def _train(name: str, folder: Folder, stop_at: int = 0, resumed: bool = False) -> None:
    stop, recipe, catalog = Stop(), _short(name), Catalog()
    experiment = prepare(recipe, catalog)
    if not resumed:
        write_beginnings(folder, recipe, experiment.builder, experiment.device, experiment.data, catalog)
    assert experiment.steps_per_epoch > STOP_AT, "it would be stopped at an epoch's end"
    progress = load_state(experiment, folder).progress if resumed else Progress()
    assert progress.step == (STOP_AT if resumed else 0)
    train(experiment, folder, progress, stop, StopsAt(stop_at, stop), limit=1)
    if resumed:
        checked_load(experiment, folder, progress)


def _short(name: str) -> Recipe:
    small: dict[str, Any] = {"train.batch_size": 4, "train.device": "cpu", "eval.batch_size": 8}
    recipe = load_recipe(RECIPES[name], small, quick=True, shipped=RECIPES)
    settings = recipe.table["train"]
    for key in ("epochs", "evaluate_every_epochs", "evaluate_every_steps"):
        settings.pop(key, None)
    if "folds" in settings:
        settings["fold"] = 1
    settings.update(steps=STEPS, accumulate=1)
    return recipe
