"""The task `detection`: pictures from files, batches, predictions in pixels, and what a person sees."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from zoo import class_color
from zoo_detection.detection import Detection
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
        sum(loss(task.forward(model, batch), task.target(batch)).values()).backward()
        optimizer.step()

    with torch.no_grad():
        outputs = task.forward(model, batch)
    predictions = task.predict(model, batch, outputs)
    assert len(predictions) == 2
    best = {name: value[:1] for name, value in predictions[0].items()}
    assert best["labels"].tolist() == [1]
    torch.testing.assert_close(best["boxes"], samples[0]["boxes"], atol=6.0, rtol=0)

    voc_map, class_error = VocMap(), AnchorClassError()
    task.update(voc_map, outputs, predictions, batch)
    task.update(class_error, outputs, predictions, batch)
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
