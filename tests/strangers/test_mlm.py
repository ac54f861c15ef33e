"""A masked language model with two losses, whose encoder is then fine-tuned with the same vocab, and no other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

import zoo as public
from tests.zoo.training import weights

STRANGERS = ("zoo_mlm",)
SMALL = {"expect": {}, "dataset.size": 200, "train.precision": "fp32"}


def test_it_is_trained_and_then_fine_tuned(tmp_path: Path) -> None:
    """The rate is too small to move what was taken over. The other vocab has as many tokens."""
    results = public.run("mlm", SMALL, quick=True, out=tmp_path / "mlm")
    assert {"val/loss", "val/loss_words", "val/loss_next", "val/words", "val/next"} <= results["figures"].keys()
    saved = weights(tmp_path / "mlm")
    more = {"init.from": str(tmp_path / "mlm"), "optimizer.lr": 1e-12, "train.epochs": 1}
    public.run("animals", more, out=tmp_path / "tuned")
    tuned = weights(tmp_path / "tuned")
    taken = [name for name in tuned if name.startswith("encoder.")]
    assert taken and all(torch.allclose(tuned[name], saved[name], atol=1e-6) for name in taken)
    tokens = json.loads((tmp_path / "tuned" / "vocab.json").read_text())
    assert tokens == json.loads((tmp_path / "mlm" / "vocab.json").read_text())
    with pytest.raises(public.InputError, match="`vocab` of the dataset is not what"):
        public.run("animals", {**more, "dataset.reverse": True}, out=tmp_path / "other")


@pytest.mark.parametrize("size", [1, 64])
def test_its_figures_do_not_hang_on_the_batches(size: int) -> None:
    """Against one pass over the whole split: masked words and pairs are means over different counts."""
    experiment = public.prepare("mlm", {**SMALL, "eval.batch_size": size}, quick=True)
    split = experiment.data.splits["val"].tensors
    experiment.model.eval()
    with torch.no_grad():
        said = experiment.model(split["input"])
    masked = split["words"] >= 0
    words, truths = said["words"][masked], split["words"][masked]
    expected = {
        "val/loss_words": -words.log_softmax(dim=1)[range(len(truths)), truths].mean().item(),
        "val/loss_next": -said["next"].log_softmax(dim=1)[range(100), split["next"]].mean().item(),
        "val/words": (words.argmax(dim=1) == truths).float().mean().item(),
        "val/next": (said["next"].argmax(dim=1) == split["next"]).float().mean().item(),
    }
    expected["val/loss"] = expected["val/loss_words"] + expected["val/loss_next"]
    assert public.evaluate(experiment) == pytest.approx(expected, rel=1e-4)


def test_masks_are_drawn_anew_and_told_the_epoch() -> None:
    """The first epoch masks half as many words as the others."""
    experiment = public.prepare("mlm", {"expect": {}, "train.batch_size": 800})
    first, second, third = ((next(experiment.batches.epoch(epoch))["words"] >= 0).sum().item() for epoch in range(3))
    assert second / first == pytest.approx(2, rel=0.15) and second != third
    again = next(experiment.batches.epoch(1))
    assert torch.equal(again["input"], next(experiment.batches.epoch(1))["input"])
