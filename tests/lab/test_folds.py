"""Cross-validation: no fold knows of another, stopping changes nothing, and the average is the mean of the models."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
import torch

import zoo
from tests.conftest import Command
from tests.zoo.training import RECIPE, Recorder, heard_by, left, terminate, weights
from zoo import InputError, Stopped, hookimpl
from zoo.runs.weights import read_tensors
from zoo_lab.folds import run_folds

pytestmark = pytest.mark.usefixtures("probe_parts")


def folded(out: Path, settings: dict[str, Any] | None = None, listener: object = None) -> dict[str, Any]:
    """Three folds of the probe recipe, two epochs each."""
    with heard_by(listener):
        return run_folds(RECIPE, {"train.epochs": 2, **(settings or {})}, folds=3, out=out)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("folds")


@pytest.fixture
def whole(base: Path, probe_parts: None) -> Path:
    """Three folds, run through once; tests only read them."""
    if not (base / "whole" / "results.json").exists():
        folded(base / "whole")
    return base / "whole"


class At(Recorder):
    """Does something after the third step of the n-th run that begins."""

    def __init__(self, run: int, action: Any) -> None:
        super().__init__(lambda step: action() if len(self.begun) == run and step == 3 else None)
        self.begun: list[tuple[str, bool]] = []

    @hookimpl
    def zoo_run_started(self, run: Any) -> None:
        self.begun.append((run.folder.name, run.resumed))


def figures(folder: Path) -> dict[str, float]:
    return json.loads((folder / "results.json").read_bytes())["figures"]


def test_a_fold_is_what_its_own_recipe_makes(whole: Path, tmp_path: Path) -> None:
    """Nothing goes over from one fold to the next: fold 3 alone, from its recipe, ends with the same bytes."""
    zoo.run(whole / "fold-3" / "recipe.toml", out=tmp_path / "third")
    assert left(whole / "fold-3") == left(tmp_path / "third")
    assert not torch.equal(*(weights(whole / f"fold-{number}")["body.weight"] for number in (1, 2)))


def test_figures_are_means_over_folds_and_over_all_predictions(whole: Path) -> None:
    """By hand from each fold's own score and size."""
    own = [zoo.score(whole / f"fold-{number}")["figures"]["val/loss"] for number in (1, 2, 3)]
    assert figures(whole)["val/loss"] == pytest.approx(sum(own) / 3)
    assert figures(whole)["val/loss_std"] == pytest.approx(float(torch.tensor(own).std()))
    tensors, _ = read_tensors(whole / "out_of_fold.safetensors")
    held = {number: int((tensors["fold"] == number).sum()) for number in (1, 2, 3)}
    weighted = sum(loss * held[number] for number, loss in enumerate(own, 1)) / sum(held.values())
    assert figures(whole)["out_of_fold/loss"] == pytest.approx(weighted)


def test_predictions_are_those_of_the_fold_that_held_a_sample_out(whole: Path) -> None:
    """Each row, by its `index` in the dataset's train and val, against the fold's model called by hand."""
    tensors, _ = read_tensors(whole / "out_of_fold.safetensors")
    splits = zoo.prepare(RECIPE).data.splits
    inputs = torch.cat([splits[name].tensors["input"] for name in ("train", "val")])
    assert sorted(tensors["index"].tolist()) == list(range(len(inputs)))
    for number in (1, 2, 3):
        rows = tensors["fold"] == number
        with torch.no_grad():
            expected = zoo.load(whole / f"fold-{number}", "cpu").model(inputs[tensors["index"][rows]])
        torch.testing.assert_close(tensors["prediction"][rows], expected)


def test_what_is_held_out_is_scored_whatever_the_recipe_scores(whole: Path, tmp_path: Path) -> None:
    settings = {"train.keep": "last"}
    usual = folded(tmp_path / "usual", settings)["figures"]
    other = folded(tmp_path / "other", {**settings, "eval.split": "train"})["figures"]
    assert other["out_of_fold/loss"] == usual["out_of_fold/loss"] != other["train/loss"]


# Stopping


def test_stopped_in_the_second_fold_it_goes_on_there(whole: Path, tmp_path: Path) -> None:
    with pytest.raises(Stopped, match="the same command with --out"):
        folded(tmp_path / "run", listener=At(2, terminate))
    assert not (tmp_path / "run" / "fold-2" / "results.json").exists()
    again = At(0, terminate)
    folded(tmp_path / "run", listener=again)
    assert again.begun == [("fold-2", True), ("fold-3", False), ("average", False)]
    _require_same(tmp_path / "run", whole)


def test_killed_in_the_second_fold_it_goes_on_there(whole: Path, tmp_path: Path) -> None:
    """By SIGKILL, which nothing can hear: the process leaves whatever lies there."""
    die = At(2, lambda: os.kill(os.getpid(), signal.SIGKILL))
    settings = {"train.checkpoint_every_seconds": 1e-6}
    process = multiprocessing.get_context("fork").Process(target=folded, args=(tmp_path / "run", settings, die))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    again = At(0, terminate)
    folded(tmp_path / "run", settings, again)
    assert again.begun[0] == ("fold-2", True)
    assert figures(tmp_path / "run") == figures(whole)
    assert left(tmp_path / "run" / "fold-2")[0] == left(whole / "fold-2")[0]


def test_an_average_that_a_kill_left_unfinished_is_made_anew(whole: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(whole, tmp_path / "run"))
    for unfinished in (run, run / "average"):
        (unfinished / "results.json").unlink()
    (run / "average" / "weights.safetensors").write_bytes(b"half")
    again = At(0, terminate)
    folded(run, listener=again)
    assert again.begun == [("average", False)]
    _require_same(run, whole)


def test_a_folder_of_something_else_is_refused(whole: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="runs of another recipe or other settings"):
        folded(whole, {"optimizer.lr": 0.2})
    (tmp_path / "notes.txt").touch()
    with pytest.raises(InputError, match="not empty"):
        folded(tmp_path)
    with pytest.raises(InputError, match="is no folder"):
        folded(tmp_path / "notes.txt")


def _require_same(run: Path, whole: Path) -> None:
    """All that is left is the same: figures, weights and metrics of every fold, weights of the average."""
    assert figures(run) == figures(whole)
    for number in (1, 2, 3):
        assert left(run / f"fold-{number}") == left(whole / f"fold-{number}")
    assert torch.equal(*(read_tensors(path / "out_of_fold.safetensors")[0]["prediction"] for path in (run, whole)))
    names = weights(whole / "average")
    assert all(torch.equal(tensor, names[name]) for name, tensor in weights(run / "average").items())


# The average


def test_the_average_is_an_ordinary_run(whole: Path, tmp_path: Path, zoo: Command) -> None:
    """Loaded, scored, checked, run again and started from, it is the mean of the folds' models, taken by hand."""
    import zoo as package

    average = whole / "average"
    inputs = torch.linspace(0, 1, 7)[:, None]
    with torch.no_grad():
        models = [package.load(whole / f"fold-{number}", "cpu").model for number in (1, 2, 3)]
        expected = sum(model(inputs) for model in models) / 3
        torch.testing.assert_close(package.load(average, "cpu").model(inputs), expected)
        val = package.prepare(RECIPE).data.splits["val"].tensors
        error = (sum(model(val["input"]) for model in models) / 3 - val["target"]).square().mean()
    assert package.score(average)["figures"]["val/loss"] == pytest.approx(float(error))
    assert figures(average) == {}  # all of the split that the recipe scores was trained on
    assert zoo("check", average / "recipe.toml").status == 0
    package.run(average / "recipe.toml", {"optimizer.lr": 1e-9, "train.epochs": 1}, out=tmp_path / "further")
    close = weights(tmp_path / "further")
    assert all(torch.allclose(tensor, close[name], atol=1e-6) for name, tensor in weights(average).items())


def test_the_average_is_scored_on_a_split_that_no_fold_was_trained_on(tmp_path: Path) -> None:
    settings = {"dataset.size": [8, 8], "model.name": "softmax_regression", "eval.split": "test", "train.epochs": 1}
    results = run_folds(
        "mlp", {"dataset.name": "digits", "train.device": "cpu", **settings}, folds=2, out=tmp_path / "run"
    )
    scored = zoo.score(tmp_path / "run" / "average", split="test")["figures"]
    assert figures(tmp_path / "run" / "average") == scored
    assert results["figures"]["test/accuracy"] != scored["test/accuracy"]


def test_what_has_no_average_is_said_and_costs_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A translation is more than a call of the model; boxes come from what a detector's call returns."""
    overrides = {"dataset.size": 60, "dataset.val_size": 10, "model.width": 16, "model.layers": 1, "train.epochs": 1}
    results = run_folds("transformer", {**overrides, "train.device": "cpu"}, folds=2, quick=True, out=tmp_path / "run")
    assert results["average"] is None and "no average" in capsys.readouterr().err
    assert "out_of_fold/bleu" in results["figures"]
    assert not (tmp_path / "run" / "average").exists()


# The command


def test_the_command_prints_figures_and_says_what_was_missed(tmp_path: Path, write: Any, zoo: Command) -> None:
    write("probe.toml", RECIPE.read_text() + '\n[expect]\n"val/loss" = { max = 1e-9 }\n')
    arguments = ("folds", "probe.toml", "train.epochs=1", "--folds", "2", "--out", "run")
    finished = zoo(*arguments)
    assert finished.status == 1 and "`val/loss` is" in finished.stderr
    assert [line.split()[0] for line in finished.stdout.splitlines()] == ["figure", "val/loss", "out_of_fold/loss"]
    again = zoo(*arguments, "--json")
    assert again.status == 1 and json.loads(again.stdout) == json.loads(Path("run/results.json").read_text())
    assert zoo("check", *(f"run/{name}/recipe.toml" for name in ("fold-1", "fold-2", "average"))).status == 0
    write("scored.toml", '[init]\nfrom = "run/average"\n[eval]\nsplit = "val"\n')
    assert "needs a recipe with `train`" in zoo("folds", "scored.toml").stderr
