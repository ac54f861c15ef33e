"""The task `detection`: pictures from files, batches, predictions in pixels, and what a person sees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops
from torchvision.ops import box_iou

from tests.reference import boxes as reference
from zoo import class_color
from zoo_detection.anchors import scale_anchors
from zoo_detection.coco import MeanAveragePrecision
from zoo_detection.detection import Detection
from zoo_detection.drawing import draw_boxes
from zoo_detection.matching import encode
from zoo_detection.metrics import AnchorClassError, VocMap
from zoo_detection.tiny_ssd import TinySSD

PREPROCESS = {"size": [64, 96], "mean": [0.5, 0.25, 0.0], "std": [0.5, 0.25, 1.0]}


@pytest.fixture
def task() -> Detection:
    return Detection(classes=["cat", "dog"], preprocess=PREPROCESS)


def detections(boxes: list[list[float]], scores: list[float], labels: list[int]) -> dict[str, torch.Tensor]:
    return {"boxes": torch.tensor(boxes).view(-1, 4), "scores": torch.tensor(scores), "labels": torch.tensor(labels)}


def two_samples() -> list[dict[str, torch.Tensor]]:
    picture = torch.randint(0, 256, (3, 64, 96), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    one = {"boxes": torch.tensor([[0.0, 0.0, 48.0, 32.0]]), "labels": torch.tensor([1])}
    none = {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.int64)}
    return [{"input": picture, **one}, {"input": picture, **none}]


def test_collate_pads_and_target_is_in_shares_of_the_picture(task: Detection) -> None:
    batch = task.collate(two_samples())
    assert batch["input"].shape == (2, 3, 64, 96)
    assert batch["labels"].tolist() == [[1], [-1]]
    assert task.target(batch)["boxes"].tolist() == [[[0.0, 0.0, 0.5, 0.5]], [[0.0, 0.0, 0.0, 0.0]]]
    assert task.collate(two_samples()[1:])["boxes"].shape == (1, 0, 4)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_forward_normalises_and_keeps_the_memory_format(task: Detection, memory_format: torch.memory_format) -> None:
    pictures = task.collate(two_samples())["input"].to(memory_format=memory_format)
    before = pictures.clone()
    seen = task.forward(lambda pictures: pictures, {"input": pictures})
    expected = (before / 255 - torch.tensor(PREPROCESS["mean"])[:, None, None]) / torch.tensor(PREPROCESS["std"])[
        :, None, None
    ]
    torch.testing.assert_close(seen, expected)
    assert seen.is_contiguous(memory_format=memory_format)
    assert torch.equal(pictures, before)


def test_a_model_learns_one_picture_and_predicts_its_boxes(task: Detection) -> None:
    from zoo_detection.multibox import MultiboxLoss

    torch.manual_seed(0)
    samples = two_samples()
    batch = task.collate(samples)
    model, loss = TinySSD(2, input_size=(64, 96), widths=(8, 8, 8, 16)), MultiboxLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(60):
        optimizer.zero_grad()
        sum(mean for mean, _ in loss(task.forward(model, batch), task.target(batch)).values()).backward()
        optimizer.step()

    with torch.no_grad():
        outputs = task.forward(model, batch)
    predictions = task.predict(model, batch, outputs)
    assert len(predictions) == 2
    best = {name: value[:1] for name, value in predictions[0].items()}
    assert best["labels"].tolist() == [1]
    assert float(box_iou(best["boxes"], samples[0]["boxes"])) > 0.7

    voc_map, class_error = VocMap(), AnchorClassError()
    task.update("voc_map", voc_map, model, batch, outputs, predictions)
    task.update("class_error", class_error, model, batch, outputs, predictions)
    assert float(voc_map.compute()) == 1
    assert float(class_error.compute()) < 0.02


def test_boxes_are_described_in_pixels_of_the_file(task: Detection, tmp_path: Path) -> None:
    path = tmp_path / "wide.png"
    Image.new("RGB", (192, 320)).save(path)
    sample = task.sample(str(path))
    assert sample["input"].shape == (3, 64, 96)
    assert sample["input"].dtype == torch.uint8
    prediction = detections([[48.0, 32.0, 96.0, 64.0], [0.0, 0.0, 9.0, 9.0]], [0.875, 0.25], [0, 1])
    described = task.describe(sample, prediction)
    assert described == {"boxes": [{"box": [96.0, 160.0, 192.0, 320.0], "class": "cat", "score": 0.875}]}


def test_drawing_is_on_the_original_and_of_truth_if_asked(task: Detection, tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    Image.new("RGB", (960, 640), "black").save(path)
    drawn = task.draw(task.sample(str(path)), detections([[48.0, 32.0, 90.0, 60.0]], [0.9], [1]))
    assert drawn.size == (960, 640)
    assert drawn.getpixel((700, 320)) == class_color(1)
    assert drawn.getpixel((700, 460)) == (0, 0, 0)

    sample = two_samples()[0] | {"input": torch.zeros(3, 64, 96, dtype=torch.uint8)}
    nothing = detections([], [], [])
    truth, prediction = (task.draw(sample, nothing, truth=shown) for shown in (True, False))
    assert truth.size == prediction.size == (480, 320)
    assert truth.getpixel((200, 159)) == class_color(1)
    assert prediction.getextrema() == ((0, 0), (0, 0), (0, 0))
    padded = {name: sample[name] for name in ("input",)} | {
        "boxes": torch.cat((sample["boxes"], torch.zeros(1, 4))),
        "labels": torch.tensor([1, -1]),
    }
    assert task.draw(padded, nothing, truth=True).tobytes() == truth.tobytes()


def test_difficulty_is_one_less_f1(task: Detection) -> None:
    sample, empty = two_samples()
    right = detections([[0.0, 0.0, 48.0, 30.0]], [0.9], [1])
    extra = detections([[0.0, 0.0, 48.0, 30.0], [60.0, 10.0, 90.0, 60.0]], [0.9, 0.8], [1, 0])
    wrong_class = detections([[0.0, 0.0, 48.0, 30.0]], [0.9], [0])
    unsure = detections([[0.0, 0.0, 48.0, 30.0]], [0.4], [1])
    assert task.difficulty(sample, right) == 0
    assert task.difficulty(sample, extra) == pytest.approx(1 / 3)
    assert task.difficulty(sample, wrong_class) == 1
    assert task.difficulty(sample, unsure) == 1
    assert task.difficulty(empty, unsure) == 0
    assert task.difficulty(empty, right) == 1


def test_the_size_of_a_picture_is_that_of_it_upright(tmp_path: Path, task: Detection) -> None:
    picture = Image.new("RGB", (40, 20), "blue")
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(tmp_path / "turned.jpg", exif=exif)
    assert task.sample(str(tmp_path / "turned.jpg"))["original_size"] == [40, 20]


def test_a_picture_in_memory_is_drawn_on_like_its_file(tmp_path: Path, task: Detection) -> None:
    """What is read once more for the drawing is the picture itself where there is no file."""
    picture = Image.radial_gradient("L").resize((192, 128)).convert("RGB")
    picture.save(tmp_path / "a.png")
    prediction = detections([[48.0, 32.0, 90.0, 60.0]], [0.9], [1])
    for raw in (picture, np.asarray(picture)):
        drawn = task.draw(task.sample(raw), prediction)
        assert drawn.tobytes() == task.draw(task.sample(str(tmp_path / "a.png")), prediction).tobytes()


def crowded(seed: int) -> dict[str, torch.Tensor]:
    """Outputs for two pictures: 700 anchors of two sizes and classes; the two at one place overlap by 0.7."""
    generator = torch.Generator().manual_seed(seed)
    anchors = scale_anchors((14, 25), [0.05, 0.06], [1.0])
    return {
        "anchors": anchors,
        "logits": 2 * torch.randn(2, len(anchors), 3, generator=generator),
        "offsets": torch.randn(2, len(anchors), 4, generator=generator),
    }


USUAL = {"score_threshold": 0.01, "iou_threshold": 0.5, "candidates": 400, "max_detections": 100}


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"score_threshold": 0.9},
        {"score_threshold": 0.0, "candidates": 10_000, "max_detections": 10_000},
        {"iou_threshold": 0.05, "max_detections": 10_000},
        {"iou_threshold": 0.9, "max_detections": 10_000},
        {"candidates": 7},
        {"max_detections": 3},
    ],
    ids=str,
)
def test_predictions_are_the_loops_with_what_is_asked_for_and_what_is_usual(asked: dict[str, Any]) -> None:
    outputs, picture = crowded(0), torch.zeros(2, 3, 64, 96)
    outputs["logits"][1, :, 0] += 9  # of the second picture, few scores are above the usual threshold
    found = Detection(["cat", "dog"], PREPROCESS, **asked).predict(None, {"input": picture}, outputs)
    expected = reference.detect(outputs, (64, 96), **{**USUAL, **asked})
    for own, wanted in zip(found, expected, strict=True):
        assert own["labels"].tolist() == [label for _, label, _ in wanted]
        torch.testing.assert_close(
            own["boxes"], torch.tensor([box for _, _, box in wanted]).view(-1, 4), atol=1e-3, rtol=1e-4
        )


def test_offsets_of_the_truth_are_predicted_as_the_truth(task: Detection) -> None:
    """What the loss asks of the anchor that matches best comes out in pixels, exactly."""
    batch = task.collate(two_samples())
    anchors = TinySSD(2, input_size=(64, 96)).anchors
    box = task.target(batch)["boxes"][0, 0]
    logits = torch.zeros(2, len(anchors), 3)
    logits[..., 0] = 20.0
    logits[0, 5, 2] = 40.0
    offsets = torch.zeros(2, len(anchors), 4)
    offsets[0, 5] = encode(box, anchors[5])
    first, second = task.predict(None, batch, {"anchors": anchors, "logits": logits, "offsets": offsets})
    torch.testing.assert_close(first["boxes"], batch["boxes"][0], atol=1e-3, rtol=0)
    assert first["labels"].tolist() == [1] and len(second["labels"]) == 0


def test_what_is_usual() -> None:
    assert (Detection.loss, Detection.metrics, Detection.monitor) == (
        "multibox", ("mean_average_precision",), "val/map_50",
    )  # fmt: skip
    assert "map_50" in MeanAveragePrecision.__doc__


def test_a_raw_sample_makes_a_batch(task: Detection, tmp_path: Path) -> None:
    Image.new("RGB", (30, 20)).save(tmp_path / "picture.png")
    batch = task.collate([task.sample(str(tmp_path / "picture.png"))])
    assert {name: tuple(value.shape) for name, value in batch.items()} == {"input": (1, 3, 64, 96)}


def test_the_first_class_counts_like_any_other(task: Detection) -> None:
    sample = {**two_samples()[0], "labels": torch.tensor([0])}
    assert task.difficulty(sample, detections([[0.0, 0.0, 48.0, 30.0]], [0.9], [0])) == 0
    black = {**sample, "input": torch.zeros(3, 64, 96, dtype=torch.uint8)}
    assert task.draw(black, detections([], [], []), truth=True).getpixel((200, 159)) == class_color(0)
    metric = VocMap()
    found = [detections([[0.0, 0.0, 48.0, 30.0]], [0.9], [0])]
    task.update("voc_map", metric, None, task.collate([sample]), None, found)
    assert float(metric.compute()) == 1


def test_a_detection_that_hardly_overlaps_is_wrong(task: Detection) -> None:
    """IoU 0.5 is right, a little less is not: boxes of the truth's height and half its width."""
    sample, _ = two_samples()
    assert task.difficulty(sample, detections([[0.0, 0.0, 24.0, 32.0]], [0.9], [1])) == 0
    assert task.difficulty(sample, detections([[0.0, 0.0, 23.0, 32.0]], [0.9], [1])) == 1


def test_what_is_shown_is_sure_enough(tmp_path: Path) -> None:
    """From `show_threshold` on, in words and in pictures; boxes are told to a tenth of a pixel, scores to 4 digits."""
    Image.new("RGB", (96, 64)).save(tmp_path / "black.png")
    task = Detection(["cat", "dog"], PREPROCESS, show_threshold=0.25)
    sample = task.sample(str(tmp_path / "black.png"))
    found = detections([[1.26, 2.0, 40.04, 30.0], [5.0, 5.0, 60.0, 60.0]], [0.25, 0.2499], [0, 1])
    assert task.describe(sample, found) == {"boxes": [{"box": [1.3, 2.0, 40.0, 30.0], "class": "cat", "score": 0.25}]}
    alone = {name: value[:1] for name, value in found.items()}
    assert task.draw(sample, found).tobytes() == task.draw(sample, alone).tobytes()
    nothing = detections([], [], [])
    assert task.draw(sample, found).tobytes() != task.draw(sample, nothing).tobytes()
    surer = {**alone, "scores": torch.tensor([0.75])}
    assert task.draw(sample, alone).tobytes() != task.draw(sample, surer).tobytes()


# Drawing


def changed(drawn: Image.Image, plain: Image.Image) -> tuple[int, int, int, int]:
    """The corners around all pixels that were drawn on."""
    corners = ImageChops.difference(drawn, plain).getbbox()
    assert corners is not None
    return corners


@settings(max_examples=15, deadline=None)
@given(
    st.tuples(st.integers(-20, 500), st.integers(-20, 500)),
    st.tuples(st.integers(1, 300), st.integers(1, 300)),
    st.integers(0, 9),
)
def test_a_caption_lies_in_the_picture_above_its_box_or_within(
    corner: tuple[int, int], side: tuple[int, int], label: int
) -> None:
    """A ground in the colour of the class, with text on it that can be read, wherever the box is."""
    plain = Image.new("RGB", (512, 512), (1, 2, 3))
    box = [*corner, corner[0] + side[0], corner[1] + side[1]]
    bare, named = (draw_boxes(plain, [box], [caption], [label]) for caption in ("", "a cat 97%"))
    colour = class_color(label)
    counts = [{pixel: count for count, pixel in drawn.getcolors(512 * 512)} for drawn in (bare, named)]
    assert counts[1][colour] > counts[0].get(colour, 0) + 200
    bright = sum(0.299 * r + 0.587 * g + 0.114 * b for r, g, b in [colour]) >= 140
    assert ((0, 0, 0) if bright else (255, 255, 255)) in counts[1]
    left, top, _, _ = changed(named, plain)
    if 30 < corner[1] < 500 and 0 <= corner[0] < 400:
        assert top < corner[1] - 10 and left <= max(corner[0], 0)


def test_a_small_picture_is_enlarged_with_its_boxes_and_a_large_one_is_not() -> None:
    small = draw_boxes(Image.new("RGB", (100, 50)), [[10, 20, 60, 40]], [""], [3])
    assert small.size == (500, 250)
    assert small.getpixel((300, 150)) == small.getpixel((50, 150)) == class_color(3)
    assert small.getpixel((175, 150)) == (0, 0, 0)
    assert draw_boxes(Image.new("RGB", (800, 400)), [], [], []).size == (800, 400)
