"""A student learns from a teacher's run folder, and is scored and used without it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy

import zoo as public
from tests.zoo.training import heard_by, stops_at, weights
from zoo.testing import checks_of

STRANGERS = ("zoo_distillation",)
SHORT = {"train.epochs": 1, "expect": {}, "eval.pictures": 0}


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("teachers") / "teacher"
    public.run("digits_teacher", SHORT, out=folder)
    return folder


def student(teacher: Path) -> dict[str, Any]:
    return {**SHORT, "train.epochs": 2, "loss.teacher": str(teacher)}


def test_its_loss_is_the_papers(teacher: Path) -> None:
    """Against a sum over samples and classes, with the teacher loaded as anyone loads a run."""
    experiment = public.prepare("digits_student", {**student(teacher), "loss.temperature": 3.0, "loss.alpha": 0.7})
    batch = next(experiment.batches.epoch(0))
    outputs = experiment.task.outputs(experiment.model, batch)
    ours, theirs = ((logits / 3).softmax(dim=1) for logits in (outputs, public.load(teacher, "cpu").outputs(batch)))
    pairs = [(q, p) for row in range(len(ours)) for q, p in zip(ours[row].tolist(), theirs[row].tolist(), strict=True)]
    divergence = sum(p * torch.log(torch.tensor(p / q)).item() for q, p in pairs) / len(ours)
    hard = cross_entropy(outputs, batch["label"]).item()
    taught = {name: value.item() for name, value in experiment.learner.train()(batch).values.items()}
    assert taught == pytest.approx({"hard": 0.3 * hard, "soft": 0.7 * 9 * divergence}, rel=1e-4)
    assert experiment.learner.eval()(batch).values["loss"].item() == pytest.approx(hard)


def test_a_student_is_interrupted_and_then_used_without_its_teacher(teacher: Path, tmp_path: Path) -> None:
    """Weights bit for bit those of an unbroken run; then the teacher's folder is gone."""
    mine = Path(shutil.copytree(teacher, tmp_path / "teacher"))
    results = public.run("digits_student", student(mine), out=tmp_path / "whole")
    with heard_by(stops_at(20)), pytest.raises(public.Stopped):
        public.run("digits_student", student(mine), out=tmp_path / "halves")
    public.resume(tmp_path / "halves")
    whole, halves = weights(tmp_path / "whole"), weights(tmp_path / "halves")
    assert whole.keys() == halves.keys() and all(torch.equal(whole[name], halves[name]) for name in whole)
    shutil.rmtree(mine)
    assert public.score(tmp_path / "whole")["figures"] == pytest.approx(results["figures"])
    dark = torch.zeros(8, 8, dtype=torch.uint8).numpy()
    assert public.load(tmp_path / "whole", "cpu").predict(dark)["class"] in "0123456789"


def test_another_teacher_is_refused(teacher: Path, tmp_path: Path) -> None:
    """A run in the place of the teacher that the student was begun with makes another training."""
    mine = Path(shutil.copytree(teacher, tmp_path / "teacher"))
    with heard_by(stops_at(3)), pytest.raises(public.Stopped):
        public.run("digits_student", student(mine), out=tmp_path / "student")
    shutil.rmtree(mine)
    public.run("digits_teacher", {**SHORT, "train.seed": 1}, out=mine)
    with pytest.raises(public.InputError, match="is not the run that"):
        public.resume(tmp_path / "student")


def test_the_kit_tries_it_where_there_is_a_teacher(
    teacher: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with data sets: what needs a run folder that is not there is skipped."""
    monkeypatch.chdir(tmp_path)
    (check,) = [check for check in checks_of("distillation") if str(check).endswith("is_a_mean")]
    with pytest.raises(pytest.skip.Exception, match="there is no run folder runs/digits_teacher/1"):
        check()
    shutil.copytree(teacher, "runs/digits_teacher/1")
    check()
