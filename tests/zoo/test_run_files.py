"""What a run writes beside its work: verdicts on its bounds, its recipe, and where it may begin."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from zoo import InputError
from zoo.jobs.run_files import recipe_file, require_empty, verdicts_of
from zoo.jobs.scoring import scoring_settings
from zoo.recipes.recipe import load_recipe
from zoo.registry.hooks import RunInfo


@pytest.mark.parametrize(
    ("bounds", "met"),
    [
        ("min = 0.5", True),
        ("min = 0.51", False),
        ("max = 0.5", True),
        ("max = 0.49", False),
        ("min = 0.4, max = 0.6", True),
        ("min = 0.1, max = 0.2", False),
        ("min = 0.6, max = 0.7", False),
    ],
)
def test_bounds_are_met_on_them_and_between_them(tmp_path: Path, bounds: str, met: bool) -> None:
    (tmp_path / "a.toml").write_text(f'[expect]\n"val/accuracy" = {{ {bounds} }}\n"val/acuracy" = {{ min = 0.1 }}\n')
    verdicts = verdicts_of(load_recipe(tmp_path / "a.toml").table["expect"], {"val/accuracy": 0.5, "val/loss": 1.0})
    stated: dict[str, Any] = {
        key.strip(): float(value) for key, value in (part.split("=") for part in bounds.split(","))
    }
    assert verdicts == {
        "val/accuracy": {"value": 0.5, **stated, "met": met},
        "val/acuracy": {"value": None, "min": 0.1, "met": False, "nearest": "val/accuracy"},
    }


def test_a_figure_that_is_not_a_number_meets_no_bound(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("[expect]\na = { min = 0 }\nb = { max = 1 }\n")
    verdicts = verdicts_of(load_recipe(tmp_path / "a.toml").table["expect"], {"a": float("nan"), "b": float("nan")})
    assert not any(verdict["met"] for verdict in verdicts.values())


def test_plain_values_stand_before_tables_in_a_recipe(tmp_path: Path) -> None:
    """TOML would read them into the table before; read again, the recipe is what was written."""
    table = {"train": {"epochs": 2}, "task": "curve", "model": {"name": "mlp", "sizes": [1, 2]}}
    [content] = recipe_file("mine", table)["recipe.toml"]
    (tmp_path / "other.toml").write_bytes(content)
    recipe = load_recipe(tmp_path / "other.toml")
    assert recipe.name == "mine"
    assert {key: recipe.table[key] for key in table} == {**table, "task": recipe.table["task"]}
    assert "curve" in str(recipe.table["task"])


def test_a_run_begins_where_nothing_is(tmp_path: Path) -> None:
    """Or where a run was killed before its first commit, and left its temporary files."""
    (tmp_path / "left").mkdir()
    (tmp_path / "left" / ".manifest.json.12.tmp").write_text("{")
    (tmp_path / "left" / ".recipe.toml.next").write_text("{")
    for name in ("new", "left", "deep/er/still"):
        require_empty(tmp_path / name)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("full", "is not empty"),
        ("file", "file is no folder"),
        ("file/below", "is no folder"),
        ("nowhere", "nowhere is no folder"),
        ("x" * 300, "cannot be a run folder: File name too long"),
    ],
)
def test_where_no_run_may_begin(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    os.symlink(tmp_path / "gone", tmp_path / "nowhere")
    with pytest.raises(InputError, match=message):
        require_empty(tmp_path / name)


def test_settings_that_figures_depend_on_are_taken_over() -> None:
    """And no others: neither how long it trained, nor on which device."""
    train = {
        "batch_size": 7,
        "precision": "bf16",
        "workers": 3,
        "seed": 5,
        "channels_last": True,
    }
    settings = scoring_settings({"train": {**train, "epochs": 9, "device": "cuda", "compile": True}}, "cpu")
    assert {name: getattr(settings, name) for name in train} == train
    assert (settings.device, settings.epochs, settings.compile) == ("cpu", None, False)
    assert scoring_settings({}).batch_size == 32


@pytest.mark.parametrize(("step", "epoch"), [(0, 0), (1, 1), (5, 1), (6, 2), (10, 2)])
def test_the_epoch_of_a_run_is_that_of_its_last_step(step: int, epoch: int) -> None:
    assert RunInfo(Path(), {}, {}, step=step, steps=10, steps_per_epoch=5).epoch == epoch
