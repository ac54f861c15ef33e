"""Detection metrics against loops."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.detection.random_pictures import Pictures, figures_of, random_pictures
from tests.reference import boxes as reference
from zoo_detection.coco import MeanAveragePrecision
from zoo_detection.matching import encode
from zoo_detection.metrics import AnchorBoxMAE, AnchorClassError, VocMap


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
