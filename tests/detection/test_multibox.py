"""The multibox loss, its value and gradients, against a loop."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference.multibox import multibox
from zoo_detection.anchors import multi_scale_anchors
from zoo_detection.multibox import MultiboxLoss

ANCHORS = multi_scale_anchors([(4, 4), (2, 2), (1, 1)], [[0.2, 0.3], [0.5], [0.8]], [1.0, 2.0])


def means(loss: MultiboxLoss, outputs: dict[str, Any], target: dict[str, Any]) -> dict[str, torch.Tensor]:
    """The parts of the loss without what they are means over."""
    return {name: mean for name, (mean, _) in loss(outputs, target).items()}


def random_case(seed: int, objects: int, pictures: int = 3) -> tuple[dict[str, Any], dict[str, Any]]:
    """Outputs and target; the first object of the first picture is padding, its second has no area."""
    random = torch.Generator().manual_seed(seed)
    outputs = {
        "anchors": ANCHORS,
        "logits": torch.randn(pictures, len(ANCHORS), 4, generator=random).requires_grad_(),
        "offsets": torch.randn(pictures, len(ANCHORS), 4, generator=random).requires_grad_(),
    }
    corner = torch.rand(pictures, objects, 2, generator=random) * 0.6
    boxes = torch.cat((corner, corner + 0.1 + torch.rand(pictures, objects, 2, generator=random) * 0.3), dim=2)
    labels = torch.randint(0, 3, (pictures, objects), generator=random)
    labels[:1, :1] = -1
    boxes[:1, :1] = 0
    boxes[:1, 1:2, 2:] = boxes[:1, 1:2, :2]
    return outputs, {"boxes": boxes, "labels": labels}


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 1000),
    st.integers(0, 5),
    st.sampled_from(["cross_entropy", "focal"]),
    st.sampled_from(["l1", "l2", "smooth_l1", "giou"]),
)
def test_value_and_gradients_are_the_loops(seed: int, objects: int, classification: Any, box: Any) -> None:
    outputs, target = random_case(seed, objects)
    loss = MultiboxLoss(classification=classification, box=box)
    parts = means(loss, outputs, target)
    slow_class, slow_box, positives = multibox(outputs, target, classification, box)

    torch.testing.assert_close(parts["classification"], slow_class, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(parts["box"], slow_box, atol=1e-5, rtol=1e-4)
    assert {int(count) for _, count in loss(outputs, target).values()} == {positives}

    inputs = [outputs["logits"], outputs["offsets"]]
    fast = torch.autograd.grad(sum(parts.values()), inputs)
    slow = torch.autograd.grad(slow_class + slow_box, inputs, allow_unused=True)
    for one, other in zip(fast, slow, strict=True):
        torch.testing.assert_close(one, torch.zeros_like(one) if other is None else other, atol=1e-5, rtol=1e-4)


def test_a_picture_without_objects_teaches_its_three_hardest() -> None:
    outputs, target = random_case(0, objects=2, pictures=1)
    target["labels"].fill_(-1)
    background = outputs["logits"].log_softmax(dim=2)[0, :, 0].neg()
    parts = means(MultiboxLoss(), outputs, target)
    torch.testing.assert_close(parts["classification"], background.sort(descending=True).values[:3].sum())
    assert parts["box"].item() == 0


@pytest.mark.parametrize("share", [0.0, 3.0, 1000.0])
def test_mining_takes_the_asked_share(share: float) -> None:
    outputs, target = random_case(1, objects=3)
    parts = means(MultiboxLoss(negatives_per_positive=share), outputs, target)
    slow, _, _ = multibox(outputs, target, "cross_entropy", "l1", negatives=int(share))
    torch.testing.assert_close(parts["classification"], slow)


def test_box_weight_scales_the_box_part_only() -> None:
    outputs, target = random_case(2, objects=4)
    one, five = (means(loss, outputs, target) for loss in (MultiboxLoss(), MultiboxLoss(box_weight=5.0)))
    torch.testing.assert_close(five["box"], 5 * one["box"])
    assert torch.equal(five["classification"], one["classification"])


@pytest.mark.parametrize("empty", [[], [0], [1, 2], [0, 1, 2, 3]])
@pytest.mark.parametrize("classification", ["cross_entropy", "focal"])
def test_accumulated_by_count_two_halves_are_the_whole(empty: list[int], classification: Any) -> None:
    """Pictures without objects among them: a gradient does not hang on how a step is cut into batches."""
    outputs, target = random_case(3, objects=5, pictures=4)
    target["labels"][empty] = -1
    loss = MultiboxLoss(classification=classification)
    total, count = torch.tensor(0.0), torch.tensor(0)
    for half in (slice(0, 1), slice(1, 4)):
        part = {name: value if name == "anchors" else value[half] for name, value in outputs.items()}
        wanted = {name: value[half] for name, value in target.items()}
        for mean, positives in loss(part, wanted).values():
            total = total + mean * positives
        count = count + positives
    torch.testing.assert_close(total / count, sum(means(loss, outputs, target).values()))


@pytest.mark.parametrize("box", ["l1", "l2", "smooth_l1", "giou"])
def test_gradients_stay_finite_where_offsets_are_wild(box: Any) -> None:
    outputs, target = random_case(4, objects=3)
    outputs["offsets"] = (outputs["offsets"].detach() * 1e4).requires_grad_()
    sum(means(MultiboxLoss(box=box), outputs, target).values()).backward()
    assert outputs["offsets"].grad.isfinite().all()


@pytest.mark.parametrize("threshold", [0.2, 0.4, 0.9])
def test_the_overlap_threshold_is_the_one_that_is_asked_for(threshold: float) -> None:
    outputs, target = random_case(5, objects=4)
    loss = MultiboxLoss(overlap_threshold=threshold)
    parts = means(loss, outputs, target)
    slow_class, slow_box, positives = multibox(outputs, target, "cross_entropy", "smooth_l1", threshold)
    torch.testing.assert_close(parts["classification"], slow_class)
    torch.testing.assert_close(parts["box"], slow_box)
    assert {int(count) for _, count in loss(outputs, target).values()} == {positives}


@pytest.mark.parametrize("gamma", [0.0, 1.0, 3.0])
def test_focal_gamma_is_the_one_that_is_asked_for(gamma: float) -> None:
    outputs, target = random_case(6, objects=4)
    parts = means(MultiboxLoss(classification="focal", focal_gamma=gamma), outputs, target)
    slow, _, _ = multibox(outputs, target, "focal", "l1", gamma=gamma)
    torch.testing.assert_close(parts["classification"], slow)


def test_the_usual_settings_are_ssds() -> None:
    """Hardest negatives three to one, smooth L1, IoU 0.5 (Liu et al. 2016, section 2.2)."""
    outputs, target = random_case(7, objects=4)
    parts = means(MultiboxLoss(), outputs, target)
    slow_class, slow_box, _ = multibox(outputs, target, "cross_entropy", "smooth_l1", 0.5, negatives=3)
    torch.testing.assert_close(parts["classification"], slow_class)
    torch.testing.assert_close(parts["box"], slow_box)
