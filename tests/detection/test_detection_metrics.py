"""Detection metrics against pycocotools and against loops."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference import boxes as reference
from zoo_detection.matching import encode
from zoo_detection.metrics import AnchorBoxMAE, AnchorClassError, MeanAveragePrecision, VocMap

Pictures = list[dict[str, torch.Tensor]]


def random_pictures(seed: int, pictures: int = 8, classes: int = 3) -> tuple[Pictures, Pictures]:
    """Truths, and detections that are truths moved a little, some of another class, some left out, and noise."""
    random = torch.Generator().manual_seed(seed)
    detections, truths = [], []
    for _ in range(pictures):
        count = int(torch.randint(0, 6, (1,), generator=random))
        corner = torch.rand(count, 2, generator=random) * 180
        boxes = torch.cat((corner, corner + 4 + torch.rand(count, 2, generator=random) * 150), dim=1)
        labels = torch.randint(0, classes, (count,), generator=random)
        truths.append({"boxes": boxes, "labels": labels})

        moved = boxes + torch.randn(count, 4, generator=random) * 6
        twice = boxes + torch.randn(count, 4, generator=random) * 20
        noise = torch.rand(3, 4, generator=random) * 60 + torch.tensor([0, 0, 80, 80])
        kept = torch.rand(2 * count + 3, generator=random) > 0.2
        guessed = torch.cat((labels, labels, torch.randint(0, classes, (3,), generator=random)))
        other = torch.rand(len(guessed), generator=random) > 0.9
        guessed = torch.where(other, (guessed + 1) % classes, guessed)
        detections.append(
            {
                "boxes": torch.cat((moved, twice, noise))[kept],
                "scores": torch.rand(len(guessed), generator=random)[kept],
                "labels": guessed[kept],
            }
        )
    return detections, truths


def pycocotools_figures(detections: Pictures, truths: Pictures) -> dict[str, float]:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def rows(pictures: Pictures) -> list[dict[str, Any]]:
        found = []
        for number, picture in enumerate(pictures):
            for place, (left, top, right, bottom) in enumerate(picture["boxes"].tolist()):
                row = {"image_id": number, "category_id": int(picture["labels"][place]), "id": len(found) + 1}
                row |= {"bbox": [left, top, right - left, bottom - top], "iscrowd": 0}
                row["area"] = row["bbox"][2] * row["bbox"][3]
                if "scores" in picture:
                    row["score"] = float(picture["scores"][place])
                found.append(row)
        return found

    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": number} for number in range(len(truths))],
            "annotations": rows(truths),
            "categories": [{"id": int(label)} for label in torch.cat([truth["labels"] for truth in truths]).unique()],
        }
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(rows(detections)), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    names = ["map", "map_50", "map_75", "map_small", "map_medium", "map_large", "mar_1", "mar_10", "mar_100"]
    return dict(zip(names, evaluation.stats.tolist(), strict=False))


@pytest.mark.parametrize("seed", range(5))
def test_mean_average_precision_is_pycocotools(seed: int) -> None:
    detections, truths = random_pictures(seed)
    metric = MeanAveragePrecision()
    metric.update(detections[:3], truths[:3])
    metric.update(detections[3:], truths[3:])
    figures = {name: float(value) for name, value in metric.compute().items()}
    expected = pycocotools_figures(detections, truths)
    assert 0.1 < expected["map"] < 0.9
    assert {name: figures[name] for name in expected} == pytest.approx(expected, abs=1e-6)


def test_what_no_truth_defines_is_left_out() -> None:
    large = {"boxes": torch.tensor([[0.0, 0.0, 200.0, 200.0]]), "labels": torch.tensor([1])}
    metric = MeanAveragePrecision()
    metric.update([{**large, "scores": torch.tensor([0.9])}], [large])
    figures = metric.compute()
    assert "map_small" not in figures
    assert figures["map_large"] == figures["map"] == 1
    assert all(value.ndim == 0 for value in figures.values())
    metric.reset()
    metric.update([{"boxes": torch.zeros(0, 4), "scores": torch.zeros(0), "labels": large["labels"][:0]}], [large])
    assert metric.compute()["map"] == 0


def voc_map_loop(detections: Pictures, truths: Pictures, threshold: float = 0.5) -> float:
    """The mean over classes of the reference's average precision."""
    each = []
    for label in torch.cat([truth["labels"] for truth in truths]).unique().tolist():
        found = [
            (number, score, box)
            for number, picture in enumerate(detections)
            for box, score, own in zip(*(picture[key].tolist() for key in ("boxes", "scores", "labels")), strict=True)
            if own == label
        ]
        wanted = [
            (number, box)
            for number, picture in enumerate(truths)
            for box, own in zip(picture["boxes"].tolist(), picture["labels"].tolist(), strict=True)
            if own == label
        ]
        each.append(reference.average_precision(found, wanted, threshold))
    return sum(each) / len(each) if each else 0.0


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_voc_map_is_the_loop(seed: int, pictures: int) -> None:
    detections, truths = random_pictures(seed, pictures)
    metric = VocMap()
    metric.update(detections, truths)
    assert float(metric.compute()) == pytest.approx(voc_map_loop(detections, truths), abs=1e-6)


def test_voc_map_counts_a_second_detection_as_wrong() -> None:
    truth = {"boxes": torch.tensor([[0.0, 0.0, 10.0, 10.0], [50.0, 50.0, 60.0, 60.0]]), "labels": torch.tensor([0, 0])}
    twice = truth["boxes"][[0, 0, 1]]
    found = {"boxes": twice, "scores": torch.tensor([0.9, 0.8, 0.7]), "labels": torch.tensor([0, 0, 0])}
    metric = VocMap()
    metric.update([found], [truth])
    assert float(metric.compute()) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    metric.reset()
    assert float(metric.compute()) == 0


def anchor_case() -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Two pictures on four anchors: the first anchor is the first picture's object, all else is background."""
    anchors = torch.tensor(
        [[0.25, 0.25, 0.5, 0.5], [0.75, 0.25, 0.5, 0.5], [0.25, 0.75, 0.5, 0.5], [0.75, 0.75, 0.5, 0.5]]
    )
    boxes = torch.zeros(2, 2, 4)
    boxes[0, 0] = torch.tensor([0.0, 0.0, 0.4, 0.5])
    labels = torch.tensor([[1, -1], [-1, -1]])
    logits = torch.zeros(2, 4, 3)
    logits[..., 0] = 1.0
    outputs = {"anchors": anchors, "logits": logits, "offsets": torch.zeros(2, 4, 4)}
    return outputs, {"boxes": boxes, "labels": labels}


def test_the_books_class_error_flatters_all_background() -> None:
    outputs, target = anchor_case()
    metric = AnchorClassError()
    metric.update(outputs, target)
    assert float(metric.compute()) == 1 / 8
    outputs["logits"][0, 0, 2] = 2.0
    metric.update(outputs, target)
    assert float(metric.compute()) == 1 / 16
    metric.reset()
    metric.update(outputs, target)
    assert float(metric.compute()) == 0


def test_the_books_box_error_is_over_all_anchors() -> None:
    outputs, target = anchor_case()
    metric = AnchorBoxMAE()
    metric.update(outputs, target)
    wanted = encode(target["boxes"][0, 0], outputs["anchors"][0])
    assert float(metric.compute()) == pytest.approx(float(wanted.abs().sum()) / (2 * 4 * 4))
    outputs["offsets"][0, 0] = wanted
    metric.reset()
    metric.update(outputs, target)
    assert float(metric.compute()) == 0


@pytest.mark.parametrize("threshold", [0.3, 0.75])
def test_voc_maps_threshold_is_the_one_that_is_asked_for(threshold: float) -> None:
    detections, truths = random_pictures(3, 6)
    metric = VocMap(iou_threshold=threshold)
    metric.update(detections, truths)
    expected = voc_map_loop(detections, truths, threshold)
    assert float(metric.compute()) == pytest.approx(expected, abs=1e-6)
    assert expected != pytest.approx(voc_map_loop(detections, truths), abs=1e-3)


def test_an_overlap_of_the_threshold_is_enough() -> None:
    """A box of half the truth's area within it: IoU 0.5 exactly."""
    truth = {"boxes": torch.tensor([[0.0, 0.0, 8.0, 8.0]]), "labels": torch.tensor([0])}
    found = {"boxes": torch.tensor([[0.0, 0.0, 4.0, 8.0]]), "scores": torch.tensor([0.9]), "labels": torch.tensor([0])}
    for threshold, expected in ((0.5, 1), (0.51, 0)):
        metric = VocMap(threshold)
        metric.update([found], [truth])
        assert float(metric.compute()) == expected


def test_a_reset_forgets_all_that_came_before() -> None:
    detections, truths = random_pictures(4, 3)
    others = random_pictures(5, 3)
    for make in (VocMap, MeanAveragePrecision):
        used, fresh = make(), make()
        used.update(*others)
        used.compute()
        used.reset()
        for metric in (used, fresh):
            metric.update(detections, truths)
        assert figures_of(used) == figures_of(fresh)
    outputs, target = anchor_case()
    for make in (AnchorClassError, AnchorBoxMAE):
        metric = make()
        metric.update(outputs, target)
        first = float(metric.compute())
        metric.reset()
        metric.update(outputs, target)
        assert float(metric.compute()) == first > 0


def figures_of(metric: Any) -> dict[str, float]:
    value = metric.compute()
    return {name: float(figure) for name, figure in (value if isinstance(value, dict) else {"it": value}).items()}


def test_the_direction_of_each_metric_is_known() -> None:
    assert MeanAveragePrecision.higher_is_better is VocMap.higher_is_better is True
    assert AnchorClassError.higher_is_better is AnchorBoxMAE.higher_is_better is False
    assert AnchorClassError.takes_outputs is AnchorBoxMAE.takes_outputs is True


@pytest.mark.parametrize("threshold, matched", [(0.3, 2), (0.5, 1)])
def test_anchors_learn_from_the_overlap_that_is_asked_for(threshold: float, matched: int) -> None:
    """An object over two anchors: the better one overlaps it by 5/8, the other by 1/3."""
    outputs, target = anchor_case()
    target["boxes"][0, 0] = torch.tensor([0.0, 0.0, 0.8, 0.5])
    metric = AnchorClassError(overlap_threshold=threshold)
    metric.update(outputs, target)
    assert float(metric.compute()) == matched / 8
    outputs["offsets"][0, 0] = encode(target["boxes"][0, 0], outputs["anchors"][0])
    error = AnchorBoxMAE(overlap_threshold=threshold)
    error.update(outputs, target)
    assert (float(error.compute()) > 0) == (matched == 2)
