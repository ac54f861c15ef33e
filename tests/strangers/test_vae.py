"""A VAE: a task with noise, a loss whose parts are means over different counts, codes that are kept."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import zoo as public

STRANGERS = ("zoo_vae",)


def test_it_learns_beyond_the_mean_picture_and_scores_alike_in_any_batches(tmp_path: Path) -> None:
    results = public.run("digits_vae", {"train.epochs": 15, "expect": {}}, out=tmp_path / "run")
    figures = results["figures"]
    assert figures["val/mean_squared_error"] < 0.75 * results["baselines"]["val/mean_squared_error"]["mean picture"]
    for size in (1, 64):
        scored = public.score(tmp_path / "run", batch_size=size)["figures"]
        assert scored == pytest.approx(figures, rel=1e-4)


def test_codes_are_drawn_in_training_alone() -> None:
    experiment = public.prepare("digits_vae", {"train.device": "cpu"})
    batch = next(experiment.batches.epoch(0))
    once, again = (experiment.task.train().outputs(experiment.model, batch)["made"] for _ in range(2))
    assert not torch.equal(once, again)
    once, again = (experiment.task.eval().outputs(experiment.model, batch)["made"] for _ in range(2))
    assert torch.equal(once, again)
