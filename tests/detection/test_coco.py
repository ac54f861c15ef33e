"""`mean_average_precision` against pycocotools, and by hand."""

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

from tests.detection.random_pictures import Pictures, figures_of, random_pictures
from zoo_detection.coco import MeanAveragePrecision


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
