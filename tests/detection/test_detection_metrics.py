"""Detection metrics against pycocotools and against loops."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference import boxes as reference
from zoo_detection.coco import MeanAveragePrecision
from zoo_detection.matching import encode
from zoo_detection.metrics import AnchorBoxMAE, AnchorClassError, VocMap

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
    """Return pycocotools' twelve figures, less those that are -1, which is its "no number"."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def dataset(pictures: Pictures) -> Any:
        rows: list[dict[str, Any]] = []
        for number, picture in enumerate(pictures):
            for place, (left, top, right, bottom) in enumerate(picture["boxes"].tolist()):
                row = {"image_id": number, "category_id": int(picture["labels"][place]), "id": len(rows) + 1}
                row |= {"bbox": [left, top, right - left, bottom - top], "iscrowd": 0}
                row["area"] = row["bbox"][2] * row["bbox"][3]
                names = {"scores": "score", "area": "area", "iscrowd": "iscrowd"}
                row |= {names[key]: picture[key][place].item() for key in names if key in picture}
                rows.append(row)
        labels = sorted({int(label) for truth in truths for label in truth["labels"]})
        coco = COCO()
        coco.dataset = {
            "images": [{"id": number} for number in range(len(truths))],
            "annotations": rows,
            "categories": [{"id": label} for label in labels],
        }
        coco.createIndex()
        return coco

    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(dataset(truths), dataset(detections), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    areas = ("small", "medium", "large")
    names = ["map", "map_50", "map_75", *(f"map_{area}" for area in areas)]
    names += ["mar_1", "mar_10", "mar_100", *(f"mar_{area}" for area in areas)]
    return {name: value for name, value in zip(names, evaluation.stats.tolist(), strict=True) if value != -1}


@pytest.mark.parametrize("seed", range(5))
def test_mean_average_precision_is_pycocotools(seed: int) -> None:
    detections, truths = random_pictures(seed)
    metric = MeanAveragePrecision()
    metric.update(detections[:3], truths[:3])
    metric.update(detections[3:], truths[3:])
    expected = pycocotools_figures(detections, truths)
    assert 0.1 < expected["map"] < 0.9
    assert figures_of(metric) == pytest.approx(expected, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 4), st.booleans(), st.booleans())
def test_mean_average_precision_is_pycocotools_at_ties_and_with_crowds(
    seed: int, pictures: int, classes: int, rough: bool, annotated: bool
) -> None:
    """Rough boxes and scores meet thresholds exactly and tie; some pictures are left without truths or detections."""
    detections, truths = random_pictures(seed, pictures, classes)
    random = torch.Generator().manual_seed(seed)
    for picture in (*detections, *truths):
        kept = slice(0 if torch.rand((), generator=random) < 0.2 else None)
        picture.update({name: value[kept] for name, value in picture.items()})
        if rough:
            picture["boxes"] = (picture["boxes"] / 16).round() * 16
    for picture in detections:
        if rough:
            picture["scores"] = (picture["scores"] * 4).round() / 4
    for picture in truths:
        count = len(picture["labels"])
        if annotated:
            picture["iscrowd"] = (torch.rand(count, generator=random) < 0.3).long()
            picture["area"] = torch.rand(count, generator=random) * 20_000
    metric = MeanAveragePrecision()
    metric.update(detections, truths)
    assert figures_of(metric) == pytest.approx(pycocotools_figures(detections, truths), abs=1e-6)


def test_only_the_best_detections_of_a_class_in_a_picture_count() -> None:
    """Objects in a row, and as many detections: the best n of them find n, and no more than 100 count."""
    left = torch.arange(120.0) * 10
    boxes = torch.stack((left, left * 0, left + 8, left * 0 + 8), dim=1)
    truth = {"boxes": boxes, "labels": torch.zeros(120, dtype=torch.long)}
    found = {**truth, "scores": torch.linspace(1, 0, 120)}
    metric = MeanAveragePrecision()
    metric.update([found], [truth])
    figures = figures_of(metric)
    recalls = [figures[name] for name in ("mar_1", "mar_10", "mar_100")]
    assert recalls == pytest.approx([1 / 120, 10 / 120, 100 / 120], abs=1e-6)
    assert figures == pytest.approx(pycocotools_figures([found], [truth]), abs=1e-6)


def test_mean_average_precision_worked_out_by_hand() -> None:
    """A small and a large object, each in its picture, and three detections, best first.

    The first overlaps the small object by 0.62, which is enough at 3 of the 10 thresholds; the second finds nothing in
    the large object's picture; the third is the large object. At a low threshold precision is 1 at the 51 recalls up to
    0.5 and 2/3 at the other 50; at a high one it is 1/3 at 51. Among small objects the second and third do not count,
    nor does the first among large ones.
    """
    small, large = [0.0, 0.0, 10.0, 10.0], [0.0, 0.0, 100.0, 100.0]
    truths = [{"boxes": torch.tensor([box]), "labels": torch.tensor([7])} for box in (small, large)]
    detections = [
        {"boxes": torch.tensor([[0.0, 0.0, 6.2, 10.0]]), "scores": torch.tensor([0.9]), "labels": torch.tensor([7])},
        {
            "boxes": torch.tensor([[200.0, 200.0, 300.0, 300.0], large]),
            "scores": torch.tensor([0.8, 0.7]),
            "labels": torch.tensor([7, 7]),
        },
    ]
    low, high = (51 + 50 * 2 / 3) / 101, (51 / 3) / 101
    expected = {"map": 0.3 * low + 0.7 * high, "map_50": low, "map_75": high, "map_small": 0.3, "map_large": 0.5}
    expected |= {"mar_1": 0.15, "mar_10": 0.65, "mar_100": 0.65, "mar_small": 0.3, "mar_large": 1.0}
    metric = MeanAveragePrecision()
    metric.update(detections, truths)
    assert figures_of(metric) == pytest.approx(expected, abs=1e-6)


def test_sizes_and_areas_are_not_rounded_to_fp32() -> None:
    """A hair more than 32 pixels by a hair less, which is above 32 x 32 by less than fp32 can tell: no small object."""
    sides = torch.nextafter(torch.tensor([32.0, 32.0]), torch.tensor([33.0, 31.0]))
    truth = {"boxes": torch.cat((torch.zeros(2), sides))[None], "labels": torch.tensor([0])}
    found = {**truth, "scores": torch.tensor([0.5])}
    metric = MeanAveragePrecision()
    metric.update([found], [truth])
    assert float(sides.prod()) == 32 * 32
    assert "map_small" not in metric.compute()
    assert figures_of(metric) == pytest.approx(pycocotools_figures([found], [truth]))


def test_what_no_truth_defines_is_left_out() -> None:
    large = {"boxes": torch.tensor([[0.0, 0.0, 200.0, 200.0]]), "labels": torch.tensor([1])}
    found = {**large, "scores": torch.tensor([0.9])}
    nothing = {"boxes": torch.zeros(0, 4), "scores": torch.zeros(0), "labels": large["labels"][:0]}
    defined = {"map", "map_50", "map_75", "map_large", "mar_1", "mar_10", "mar_100", "mar_large"}
    metric = MeanAveragePrecision()
    assert metric.compute() == {}
    for detection, truth, expected in (
        (found, large, dict.fromkeys(defined, 1.0)),
        (nothing, large, dict.fromkeys(defined, 0.0)),
        (found, {**nothing, "boxes": torch.zeros(0)}, {}),
        (nothing, nothing, {}),
    ):
        metric.reset()
        metric.update([detection], [truth])
        figures = metric.compute()
        assert figures == expected
        assert all(value.ndim == 0 and value.dtype == torch.float32 for value in figures.values())


def test_mean_average_precision_prints_nothing_and_imports_no_wrapper() -> None:
    """torchmetrics' wrapper takes torchvision along, and seconds."""
    code = """
import sys, torch
from zoo_detection.coco import MeanAveragePrecision
truth = {"boxes": torch.tensor([[0.0, 0.0, 9.0, 9.0]]), "labels": torch.tensor([1])}
metric = MeanAveragePrecision()
metric.update([{**truth, "scores": torch.tensor([0.9])}], [truth])
assert metric.compute()["map"] == 1
print(*{"torchmetrics", "torchvision", "pycocotools", "matplotlib"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "\n", "")


def test_as_many_scores_and_labels_as_boxes() -> None:
    truth = {"boxes": torch.tensor([[0.0, 0.0, 9.0, 9.0]]), "labels": torch.tensor([1])}
    metric = MeanAveragePrecision()
    with pytest.raises(ValueError):
        metric.update([], [truth])
    metric.update([{**truth, "scores": torch.tensor([0.9, 0.8])}], [truth])
    with pytest.raises(ValueError):
        metric.compute()


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
