"""SimCLR on a classifier of another plugin, whose encoder is then fine-tuned by a plain recipe."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import zoo as public
from tests.zoo.training import weights

STRANGERS = ("zoo_simclr",)


def test_the_encoder_goes_into_a_classifier(tmp_path: Path) -> None:
    public.run("simclr", quick=True, out=tmp_path / "simclr")
    saved = weights(tmp_path / "simclr")
    more = {"init.from": str(tmp_path / "simclr"), "optimizer.lr": 1e-12, "train.epochs": 1}
    public.run("simclr_fine_tune", more, out=tmp_path / "tuned")
    tuned = weights(tmp_path / "tuned")
    taken = [name for name in tuned if not name.startswith("classifier.5")]
    assert taken and all(torch.allclose(tuned[name], saved[f"encoder.{name}"], atol=1e-6) for name in taken)


def test_a_loss_over_a_whole_batch_is_not_accumulated(tmp_path: Path) -> None:
    with pytest.raises(public.InputError, match="compares a batch's samples with each other"):
        public.prepare("simclr", {"train.accumulate": 2}, quick=True)
