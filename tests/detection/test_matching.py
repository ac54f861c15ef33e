"""The batched matching and offsets against one picture and one box at a time."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference import boxes as reference
from zoo_detection.matching import decode, encode, match_anchors, pairwise_iou, to_corners
from zoo_detection.tiny_ssd import TinySSD

# Few coordinates, so that equal boxes, equal overlaps and boxes of no area are common.
coordinate = st.integers(0, 4).map(lambda value: value / 4)
span = st.tuples(coordinate, coordinate).map(sorted)
box = st.tuples(span, span).map(lambda spans: [spans[0][0], spans[1][0], spans[0][1], spans[1][1]])
anchor_box = box.filter(lambda sides: sides[0] < sides[2] and sides[1] < sides[3])


@st.composite
def pictures(draw: st.DrawFn) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    anchors = draw(st.lists(anchor_box, min_size=1, max_size=6))
    count, objects = draw(st.integers(1, 3)), draw(st.integers(0, 8))
    boxes = draw(st.lists(box, min_size=count * objects, max_size=count * objects))
    labels = draw(st.lists(st.integers(-1, 2), min_size=count * objects, max_size=count * objects))
    return (
        torch.tensor(anchors),
        torch.tensor(boxes, dtype=torch.float32).view(count, objects, 4),
        torch.tensor(labels, dtype=torch.int64).view(count, objects),
    )


def loop(anchors: torch.Tensor, boxes: torch.Tensor, labels: torch.Tensor, threshold: float) -> list[list[int]]:
    return [
        reference.match(anchors.numpy(), own_boxes.numpy(), own_labels.tolist(), threshold)
        for own_boxes, own_labels in zip(boxes, labels, strict=True)
    ]


@settings(max_examples=300, deadline=None)
@given(pictures(), st.sampled_from([0.25, 0.5, 1.0]))
def test_matching_is_the_loop(case: tuple[torch.Tensor, torch.Tensor, torch.Tensor], threshold: float) -> None:
    matches = match_anchors(*case, threshold)
    assert matches.dtype == torch.int64
    assert matches.tolist() == loop(*case, threshold)


@pytest.mark.parametrize("objects", [1, 4, 16, 32])
def test_matching_is_the_loop_on_all_anchors(objects: int) -> None:
    torch.manual_seed(objects)
    anchors = to_corners(TinySSD(1).anchors)
    corner = torch.rand(1, objects, 2) * 0.6
    boxes = torch.cat((corner, corner + 0.05 + torch.rand(1, objects, 2) * 0.35), dim=2)
    boxes[:, objects // 2 :: 5] = boxes[:, :1].clone()
    labels = torch.zeros(1, objects, dtype=torch.int64)
    assert match_anchors(anchors, boxes, labels).tolist() == loop(anchors, boxes, labels, 0.5)


def test_every_object_gets_an_anchor_and_padding_none() -> None:
    anchors = torch.tensor([[0.0, 0.0, 0.5, 0.5], [0.5, 0.5, 1.0, 1.0], [0.0, 0.5, 0.5, 1.0]])
    same = [0.1, 0.1, 0.4, 0.4]
    boxes = torch.tensor([[same, same, [0.0, 0.0, 0.0, 0.0]], [[0.2, 0.2, 0.2, 0.9], same, same]])
    labels = torch.tensor([[0, 1, -1], [2, -1, -1]])
    assert match_anchors(anchors, boxes, labels).tolist() == [[0, 1, -1], [-1, -1, -1]]


def test_more_objects_than_anchors_leave_the_worst_out() -> None:
    anchors = torch.tensor([[0.0, 0.0, 0.5, 0.5]])
    boxes = torch.tensor([[[0.0, 0.0, 0.4, 0.4], [0.0, 0.0, 0.5, 0.5], [0.6, 0.6, 1.0, 1.0]]])
    assert match_anchors(anchors, boxes, torch.tensor([[0, 0, 0]])).tolist() == [[1]]


@settings(max_examples=100, deadline=None)
@given(st.lists(box, min_size=1, max_size=5), st.lists(anchor_box, min_size=1, max_size=5))
def test_iou_is_the_loop(ours: list[list[float]], others: list[list[float]]) -> None:
    one, other = torch.tensor(ours), torch.tensor(others)
    expected = [[float(reference.iou(mine, theirs)) for theirs in other.numpy()] for mine in one.numpy()]
    assert pairwise_iou(one, other).tolist() == expected


@settings(max_examples=100, deadline=None)
@given(anchor_box, anchor_box)
def test_offsets_are_the_loop_and_come_back(sides: list[float], anchor_sides: list[float]) -> None:
    left, top, right, bottom = anchor_sides
    anchor = [(left + right) / 2, (top + bottom) / 2, right - left, bottom - top]
    offsets = encode(torch.tensor(sides), torch.tensor(anchor))
    torch.testing.assert_close(offsets, torch.tensor(reference.encode(sides, anchor)), atol=1e-4, rtol=1e-5)
    back = decode(offsets, torch.tensor(anchor))
    torch.testing.assert_close(back, torch.tensor(reference.decode(offsets.tolist(), anchor)), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(back, torch.tensor(sides), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("size", [20.6, 21.0, 100.0, 1e4])
def test_wild_offsets_are_bounded_as_the_loops(size: float) -> None:
    """A side grows to 1000 / 16 of its anchor's and no further, from offsets of 20.68 up."""
    anchor = [0.5, 0.5, 0.2, 0.2]
    offsets = [1.0, -1.0, size, size]
    expected = torch.tensor(reference.decode(offsets, anchor))
    torch.testing.assert_close(decode(torch.tensor(offsets), torch.tensor(anchor)), expected)
    assert expected.abs().max() <= 0.1 * 1000 / 16 + 0.6


def test_offsets_of_a_point_are_the_loops() -> None:
    """A side is taken for a millionth of the picture at least."""
    point, anchor = [0.3, 0.3, 0.3, 0.3], [0.5, 0.5, 0.2, 0.2]
    torch.testing.assert_close(
        encode(torch.tensor(point), torch.tensor(anchor)), torch.tensor(reference.encode(point, anchor))
    )


def test_offsets_of_a_box_worked_out_by_hand() -> None:
    """Twice as wide and half as high as its anchor, a quarter of the anchor's width to the right."""
    offsets = encode(torch.tensor([0.35, 0.4, 0.75, 0.6]), torch.tensor([0.5, 0.4, 0.2, 0.4]))
    expected = [0.05 / 0.2 / 0.1, 0.1 / 0.4 / 0.1, 0.693147 / 0.2, -0.693147 / 0.2]
    torch.testing.assert_close(offsets, torch.tensor(expected), atol=1e-4, rtol=1e-4)
