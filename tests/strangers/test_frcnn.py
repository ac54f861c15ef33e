"""torchvision's Faster R-CNN: it makes its own losses, and its batches are lists of pictures of several sizes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

import zoo as public
from tests.zoo.training import heard_by, stops_at, weights

STRANGERS = ("zoo_frcnn",)
NO_PICTURES = {"eval.pictures": 0}


def test_it_trains_scores_and_draws(tmp_path: Path) -> None:
    """A run ends only when the saved weights, loaded anew, give the outputs that they gave before."""
    results = public.run("bricks", {"eval.pictures": 2}, quick=True, out=tmp_path / "run")
    assert "val/map_50" in results["figures"] and "val/loss" not in results["figures"]
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    logged = {name for line in lines for name in json.loads(line)}
    assert {"train/loss", "train/loss_classifier", "train/loss_rpn_box_reg"} <= logged
    assert len(list((tmp_path / "run" / "pictures").glob("val-*.png"))) == 2
    assert public.score(tmp_path / "run", batch_size=1)["figures"] == pytest.approx(results["figures"], abs=1e-3)


def test_an_interrupted_run_ends_as_an_unbroken_one(tmp_path: Path) -> None:
    """The model samples anchors and boxes with the global generator, whose state a checkpoint has."""
    public.run("bricks", NO_PICTURES, quick=True, out=tmp_path / "whole")
    with heard_by(stops_at(1)), pytest.raises(public.Stopped):
        public.run("bricks", NO_PICTURES, quick=True, out=tmp_path / "halves")
    public.resume(tmp_path / "halves")
    whole, halves = weights(tmp_path / "whole"), weights(tmp_path / "halves")
    assert all(torch.equal(whole[name], halves[name]) for name in whole)


def test_it_takes_what_was_made_for_detection() -> None:
    """Another plugin's data set, whose boxes are padded, and another's metric."""
    experiment = public.prepare("scenes_rcnn", quick=True)
    (step,) = [step for step in experiment.steps() if step.number == 1]
    assert step.loss.isfinite() and len(step.parts) == 4
    truth = experiment.task.target(next(experiment.scoring.batches.epoch(0)))
    assert all(len(boxes["labels"]) and (boxes["labels"] >= 0).all() for boxes in truth)
    assert 0 <= public.evaluate(experiment)["val/map_50"] <= 1
