"""A masked language model with two losses, whose encoder is then fine-tuned with the same vocab, and no other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

import zoo as public
from tests.zoo.training import weights

STRANGERS = ("zoo_mlm",)


def test_it_is_trained_and_then_fine_tuned(tmp_path: Path) -> None:
    results = public.run("mlm", {"expect": {}}, quick=True, out=tmp_path / "mlm")
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
def test_its_figures_do_not_hang_on_the_batches(size: int, tmp_path: Path) -> None:
    """Masked words and pairs are means over different counts."""
    experiment = public.prepare("mlm", {"eval.batch_size": size, "expect": {}}, quick=True)
    whole = public.prepare("mlm", {"eval.batch_size": 800, "expect": {}}, quick=True)
    assert public.evaluate(experiment) == pytest.approx(public.evaluate(whole), rel=1e-4)
