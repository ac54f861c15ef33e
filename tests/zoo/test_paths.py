"""A path that a recipe states relative to the working folder means the same file from anywhere, once it is run."""

from __future__ import annotations

from pathlib import Path

import pytest
import tomli

from zoo import InputError
from zoo.jobs.recipe import run
from zoo.jobs.score import score
from zoo.recipes.schema import check_table, convert, parameters_of
from zoo.recipes.wording import describe_type

RECIPE = """\
task = "language_model"
model = { name = "rnn", width = 8 }
dataset = { name = "text_file", path = "texts/here.txt", num_steps = 8 }
optimizer = "sgd"
[train]
steps = 1
batch_size = 4
device = "cpu"
"""


def test_a_relative_path_is_absolute_in_the_run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`zoo eval` from another folder scores the same data."""
    (tmp_path / "a" / "texts").mkdir(parents=True)
    (tmp_path / "b").mkdir()
    monkeypatch.chdir(tmp_path / "a")
    Path("texts/here.txt").write_text("the quick brown fox " * 40)
    Path("r.toml").write_text(RECIPE)
    figures = run("r.toml", out="run")["figures"]
    spelled = tomli.loads(Path("run/recipe.toml").read_text())
    assert spelled["dataset"]["path"] == str(tmp_path / "a" / "texts" / "here.txt")
    monkeypatch.chdir(tmp_path / "b")
    assert score("../a/run")["figures"] == figures


def _reads(file: Path, folder: Path | None = None) -> None:
    """A component that takes paths."""


def test_a_path_is_written_as_a_string() -> None:
    parameters = parameters_of(_reads)
    assert convert({"file": "a/b.txt", "folder": "a"}, parameters) == {"file": Path("a/b.txt"), "folder": Path("a")}
    assert parameters["folder"].type_name == "a path" == describe_type(Path)
    assert describe_type(list[Path]) == "a list of paths"
    assert [mistake.message for mistake in check_table({"file": 3}, parameters, "it")] == [
        "`file` of it is 3; it should be a path"
    ]


def test_a_path_that_is_not_there_is_named_as_it_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("r.toml").write_text(RECIPE)
    with pytest.raises(InputError, match=r"texts/here\.txt"):
        run("r.toml")
