"""SimCLR on a classifier of another plugin, whose encoder is then fine-tuned by a plain recipe."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

import zoo as public
from tests.zoo.training import weights

STRANGERS = ("zoo_simclr",)


def test_the_encoder_goes_into_a_classifier(tmp_path: Path) -> None:
    """The rate is too small to move what was taken over."""
    public.run("simclr", quick=True, out=tmp_path / "simclr")
    saved = weights(tmp_path / "simclr")
    more = {"init.from": str(tmp_path / "simclr"), "optimizer.lr": 1e-12, "train.epochs": 1}
    public.run("simclr_fine_tune", more, out=tmp_path / "tuned")
    tuned = weights(tmp_path / "tuned")
    taken = [name for name in tuned if not name.startswith("classifier.5")]
    assert taken and all(torch.allclose(tuned[name], saved[f"encoder.{name}"], atol=1e-6) for name in taken)


def test_views_are_two_and_drawn_anew_in_every_epoch() -> None:
    """The same epoch, asked for again, has the same views."""
    batches = public.prepare("simclr", quick=True).batches
    views, again, later = (next(batches.epoch(epoch))["views"] for epoch in (0, 0, 1))
    assert views.dtype == torch.uint8 and views.shape[1:] == (2, 1, 8, 8)
    assert not torch.equal(views[:, 0], views[:, 1]) and torch.equal(views, again) and not torch.equal(views, later)


def test_its_loss_is_the_papers() -> None:
    """Against equation 1 of Chen et al. (2020), view by view."""
    experiment = public.prepare("simclr", {"train.batch_size": 6, "train.precision": "fp32"}, quick=True)
    batch = next(experiment.batches.epoch(0))
    with torch.no_grad():
        scored = experiment.learner(batch)
    vectors = [scored.outputs[number, view] for view in (0, 1) for number in range(6)]
    total = 0.0
    for place, vector in enumerate(vectors):
        near = [math.exp(float(vector @ other) / 0.5) for other in vectors]
        total -= math.log(near[(place + 6) % 12] / (sum(near) - near[place]))
    assert scored.values["loss"].item() == pytest.approx(total / 12, rel=1e-4)


def test_a_loss_over_a_whole_batch_is_not_accumulated() -> None:
    with pytest.raises(public.InputError, match="compares a batch's samples with each other"):
        public.prepare("simclr", {"train.accumulate": 2}, quick=True)
