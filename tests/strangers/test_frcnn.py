"""torchvision's Faster R-CNN: it makes its own losses, and its batches are lists of pictures of several sizes."""

from __future__ import annotations

import json
from pathlib import Path

import zoo as public
from tests.zoo.training import weights

STRANGERS = ("zoo_frcnn",)


def test_it_trains_scores_and_draws(tmp_path: Path) -> None:
    results = public.run("bricks", {"eval.pictures": 2}, quick=True, out=tmp_path / "run")
    assert "val/map_50" in results["figures"] and "val/loss" not in results["figures"]
    events = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert {"train/loss", "train/loss_classifier", "train/loss_rpn_box_reg"} <= {
        name for event in events for name in event
    }
    assert list((tmp_path / "run" / "pictures").glob("val-*.png"))
    assert any("roi_heads" in name for name in weights(tmp_path / "run"))
    assert public.score(tmp_path / "run", batch_size=1)["figures"].keys() == results["figures"].keys()
