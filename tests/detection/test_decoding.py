"""Decoding and non-maximum suppression against the loop."""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference import boxes as reference
from zoo_detection.anchors import multi_scale_anchors
from zoo_detection.decoding import detect
from zoo_detection.matching import encode

# Overlaps of the few boxes below are never near this.
IOU_THRESHOLD = 0.47
USUAL: dict[str, Any] = {"score_threshold": 0.01, "iou_threshold": 0.5, "candidates": 400, "max_detections": 100}
ANCHORS = multi_scale_anchors([(3, 3), (1, 1)], [[0.3, 0.5], [0.8]], [1.0, 2.0])


def assert_same(outputs: dict[str, torch.Tensor], size: tuple[int, int], **settings: Any) -> None:
    fast = detect(outputs, size, **settings)
    slow = reference.detect(outputs, size, **settings)
    assert len(fast) == len(slow)
    for found, expected in zip(fast, slow, strict=True):
        assert found["boxes"].shape == (len(expected), 4)
        assert found["labels"].tolist() == [label for _, label, _ in expected]
        assert found["scores"].tolist() == [score for score, _, _ in expected]
        boxes = torch.tensor([box for _, _, box in expected]).view(-1, 4)
        torch.testing.assert_close(found["boxes"], boxes, atol=1e-3, rtol=1e-4)


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    pictures=st.integers(1, 3),
    classes=st.integers(1, 3),
    score_threshold=st.sampled_from([0.0, 0.2, 0.5, 0.99]),
    candidates=st.sampled_from([1, 5, 1000]),
    max_detections=st.sampled_from([1, 3, 100]),
)
def test_detections_are_the_loops(
    seed: int, pictures: int, classes: int, score_threshold: float, candidates: int, max_detections: int
) -> None:
    random = torch.Generator().manual_seed(seed)
    outputs = {
        "anchors": ANCHORS,
        "logits": torch.randn(pictures, len(ANCHORS), classes + 1, generator=random) * 2,
        "offsets": torch.randn(pictures, len(ANCHORS), 4, generator=random),
    }
    assert_same(
        outputs,
        (120, 200),
        score_threshold=score_threshold,
        iou_threshold=IOU_THRESHOLD,
        candidates=candidates,
        max_detections=max_detections,
    )


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.integers(0, 2), min_size=len(ANCHORS) * 3, max_size=len(ANCHORS) * 3),
    st.lists(st.integers(0, 3), min_size=len(ANCHORS), max_size=len(ANCHORS)),
    st.sampled_from([1, 4, 1000]),
)
def test_ties_identical_boxes_and_boxes_of_no_area(logits: list[int], places: list[int], candidates: int) -> None:
    """Every anchor predicts one of four boxes, one of them a point, with one of few scores."""
    boxes = torch.tensor([[0.1, 0.1, 0.4, 0.4], [0.1, 0.1, 0.4, 0.5], [0.6, 0.5, 0.9, 0.9], [1.5, 1.5, 1.9, 1.9]])
    outputs = {
        "anchors": ANCHORS,
        "logits": torch.tensor(logits, dtype=torch.float32).view(1, -1, 3),
        "offsets": encode(boxes[places], ANCHORS)[None],
    }
    assert_same(
        outputs,
        (100, 100),
        score_threshold=0.1,
        iou_threshold=IOU_THRESHOLD,
        candidates=candidates,
        max_detections=100,
    )


def test_classes_do_not_suppress_one_another_and_pictures_neither() -> None:
    outputs = {
        "anchors": torch.tensor([[0.5, 0.5, 0.4, 0.4]]).expand(3, 4),
        "logits": torch.tensor([[-9.0, 5.0, 0.0], [-9.0, 0.0, 4.0], [-9.0, 3.0, 0.0]]).expand(2, 3, 3),
        "offsets": torch.zeros(2, 3, 4),
    }
    for found in detect(outputs, (100, 200), **{**USUAL, "score_threshold": 0.5}):
        assert found["labels"].tolist() == [0, 1]
        torch.testing.assert_close(found["boxes"], torch.tensor([[60.0, 30.0, 140.0, 70.0]] * 2))


def test_nothing_found_is_empty_tensors() -> None:
    outputs = {
        "anchors": ANCHORS,
        "logits": torch.zeros(2, len(ANCHORS), 2),
        "offsets": torch.zeros(2, len(ANCHORS), 4),
    }
    for found in detect(outputs, (64, 64), **{**USUAL, "score_threshold": 0.9}):
        assert found["boxes"].shape == (0, 4)
        assert found["scores"].shape == found["labels"].shape == (0,)
        assert found["labels"].dtype == torch.int64


def test_a_score_has_to_be_higher_than_the_threshold() -> None:
    """Two classes at even odds score one half each, background included."""
    outputs = {"anchors": ANCHORS[:1], "logits": torch.zeros(1, 1, 2), "offsets": torch.zeros(1, 1, 4)}
    for threshold, count in ((0.5, 0), (0.499, 1)):
        (found,) = detect(outputs, (64, 64), **{**USUAL, "score_threshold": threshold})
        assert len(found["labels"]) == count
