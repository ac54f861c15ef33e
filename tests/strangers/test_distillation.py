"""A student learns from a teacher's run folder, and is scored and used without it."""

from __future__ import annotations

from pathlib import Path

import pytest

import zoo as public
from tests.zoo.training import heard_by, stops_at, weights

STRANGERS = ("zoo_distillation",)
TEACHER = {"train.epochs": 4, "expect": {}}
SHORT = {"train.epochs": 2, "expect": {}}


def test_a_student_learns_from_its_teacher_and_is_used_without(tmp_path: Path) -> None:
    """The soft part counts: without it, the weights are others. The teacher's folder may be gone afterwards."""
    public.run("digits_teacher", TEACHER, out=tmp_path / "teacher")
    teacher = {"loss.teacher": str(tmp_path / "teacher")}
    results = public.run("digits_student", {**SHORT, **teacher}, out=tmp_path / "student")
    public.run("digits_student", {**SHORT, **teacher, "loss.alpha": 0.0}, out=tmp_path / "alone")
    soft, hard = weights(tmp_path / "student"), weights(tmp_path / "alone")
    assert any(not soft[name].equal(hard[name]) for name in soft)
    with heard_by(stops_at(20)), pytest.raises(public.Stopped):
        public.run("digits_student", {**SHORT, **teacher}, out=tmp_path / "halves")
    public.resume(tmp_path / "halves")
    halves = (tmp_path / "halves" / "weights.safetensors").read_bytes()
    assert halves == (tmp_path / "student" / "weights.safetensors").read_bytes()
    (tmp_path / "teacher").rename(tmp_path / "moved")
    assert public.score(tmp_path / "student")["figures"] == pytest.approx(results["figures"])
    assert public.load(tmp_path / "student", "cpu").task is not None
