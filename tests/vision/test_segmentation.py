"""Segmentation: what is counted, and the task from files to drawings."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch.nn import functional as F  # noqa: N812

from tests.reference.masks import dice_loss, ious
from zoo import InputError, class_color, tensor_to_picture
from zoo_vision.resnet import ResNet
from zoo_vision.segmentation.drawing import overlay, palette_picture
from zoo_vision.segmentation.fcn import FCN
from zoo_vision.segmentation.losses import Dice
from zoo_vision.segmentation.masks import VOID, read_mask
from zoo_vision.segmentation.metrics import MeanIoU, pixel_accuracy
from zoo_vision.segmentation.task import Segmentation

CLASSES = ["background", "cat", "red cup"]
PREPROCESS = {"size": [24, 32], "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]}


@st.composite
def masks(draw: st.DrawFn, voids: bool = True) -> torch.Tensor:
    """(2, 3, 4) of three classes and void."""
    labels = [0, 1, 2, VOID] if voids else [0, 1, 2]
    return torch.tensor(draw(st.lists(st.sampled_from(labels), min_size=24, max_size=24))).view(2, 3, 4)


@pytest.fixture
def task() -> Segmentation:
    return Segmentation(CLASSES, PREPROCESS)


# Figures and losses


@given(found=masks(voids=False), truth=masks())
def test_mean_iou_is_the_count_of_pixels(found: torch.Tensor, truth: torch.Tensor) -> None:
    """Against tests/reference, in two batches; a class on neither side is left out."""
    metric = MeanIoU(CLASSES)
    metric.update(found[:1], truth[:1])
    metric.update(found[1:], truth[1:])
    figures = {name: float(value) for name, value in metric.compute().items()}
    expected = ious(found, truth, 3, VOID)
    known = [share for share in expected if not math.isnan(share)]
    assert figures.pop("mean_iou") == pytest.approx(sum(known) / len(known) if known else math.nan, nan_ok=True)
    names = ["iou_background", "iou_cat", "iou_red_cup"]
    assert figures == pytest.approx(
        {name: share for name, share in zip(names, expected, strict=True) if not math.isnan(share)}
    )


@given(found=masks(voids=False), truth=masks())
def test_pixel_accuracy_is_the_share_of_right_pixels(found: torch.Tensor, truth: torch.Tensor) -> None:
    metric = pixel_accuracy(3)
    metric.update(found[:1], truth[:1])
    metric.update(found[1:], truth[1:])
    pairs = [(a, b) for a, b in zip(found.flatten().tolist(), truth.flatten().tolist(), strict=True) if b != VOID]
    assert float(metric.compute()) == pytest.approx(sum(a == b for a, b in pairs) / len(pairs) if pairs else 0)


def test_figures_and_loss_leave_the_class_out_that_they_are_told_to() -> None:
    """Void is what they leave out by themselves; here it is class 1."""
    truth, found = torch.tensor([[[0, 0, 1, 1, 2, 2]]]), torch.tensor([[[0, 1, 0, 1, 2, 2]]])
    iou, accuracy = MeanIoU(CLASSES, ignore_index=1), pixel_accuracy(3, ignore_index=1)
    for metric in (iou, accuracy):
        metric.update(found, truth)
    assert float(iou.compute()["iou_background"]) == 1 / 2 and float(iou.compute()["iou_red_cup"]) == 1
    assert float(accuracy.compute()) == 3 / 4
    logits = torch.randn(1, 3, 1, 6, generator=torch.Generator().manual_seed(0))
    assert float(Dice(ignore_index=1)(logits, truth)) == pytest.approx(dice_loss(logits, truth, 1), abs=1e-5)
    assert Segmentation.loss == {"name": "cross_entropy", "ignore_index": VOID}


def test_more_of_the_figures_is_better() -> None:
    assert MeanIoU(CLASSES).higher_is_better and pixel_accuracy(3).higher_is_better
    assert Segmentation.monitor == "val/mean_iou" and Segmentation.metrics == ("mean_iou", "pixel_accuracy")


@given(truth=masks(), seed=st.integers(0, 99))
def test_dice_is_the_loop_s(truth: torch.Tensor, seed: int) -> None:
    logits = torch.randn(2, 3, 3, 4, generator=torch.Generator().manual_seed(seed))
    whole = float(Dice()(logits, truth))
    assert whole == pytest.approx(dice_loss(logits, truth, VOID), abs=1e-5)
    parts = [
        (float(Dice()(*pair)), int(Dice().count(*pair))) for pair in zip(logits.split(1), truth.split(1), strict=True)
    ]
    counts = max(1, sum(count for _, count in parts))
    assert sum(value * count for value, count in parts) / counts == pytest.approx(whole, abs=1e-5)


def test_dice_of_the_truth_is_nothing_and_void_counts_nowhere() -> None:
    truth = torch.tensor([[[0, 1], [2, VOID]]])
    logits = 100.0 * F.one_hot(truth.where(truth != VOID, 0), 3).permute(0, 3, 1, 2)
    assert float(Dice()(logits, truth)) == pytest.approx(0, abs=1e-5)
    logits.requires_grad_()
    Dice()(logits, truth).backward()
    assert not logits.grad[:, :, 1, 1].any()
    assert Dice()(logits, torch.full_like(truth, VOID)).item() == 0


# The task


def test_pictures_of_different_sizes_are_run_alone(task: Segmentation) -> None:
    """The logits of each are those of a batch of its own, and what was padded is void."""
    model = FCN(3, ResNet(10, width=0.1)).eval()
    samples = [
        {"input": torch.randint(256, (3, *size), dtype=torch.uint8), "mask": torch.ones(size, dtype=torch.uint8)}
        for size in ((40, 64), (64, 48))
    ]
    batch = task.collate(samples)
    assert batch["size"].tolist() == [[40, 64], [64, 48]]
    assert (batch["mask"] == VOID).sum() == 2 * 64 * 64 - 40 * 64 - 64 * 48
    with torch.no_grad():
        together = task.forward(model, batch)
        for number, sample in enumerate(samples):
            height, width = sample["input"].shape[-2:]
            alone = task.forward(model, task.collate([sample]))
            assert torch.equal(together[number : number + 1, :, :height, :width], alone)


def test_torchvision_s_dict_is_understood(task: Segmentation) -> None:
    logits = torch.randn(1, 3, 4, 4)
    batch = {"input": torch.zeros(1, 3, 4, 4, dtype=torch.uint8)}
    assert task.forward(lambda _: {"out": logits, "aux": None}, batch) is logits


def test_a_raw_picture_fits_the_size_and_its_mask_the_picture(tmp_path: Path, task: Segmentation) -> None:
    Image.new("RGB", (200, 100), "red").save(tmp_path / "wide.png")
    sample = task.sample(str(tmp_path / "wide.png"))
    assert sample["input"].shape == (3, 16, 32)
    prediction = torch.zeros(16, 32, dtype=torch.uint8)
    prediction[:, 24:] = 2
    assert task.describe(sample, prediction) == {"shares": {"background": 0.75, "red cup": 0.25}}
    drawings = task.drawings(sample, prediction)
    assert sorted(drawings) == ["", "mask"]
    assert drawings[""].size == drawings["mask"].size == (200, 100)
    in_memory = task.sample(Image.open(tmp_path / "wide.png"))
    assert task.draw(in_memory, prediction).tobytes() == drawings[""].tobytes()
    drawings["mask"].save(tmp_path / "mask.png")
    values = np.array(Image.open(tmp_path / "mask.png"))
    assert (values[:, :150] == 0).all() and (values[:, 150:] == 2).all()


def test_a_raw_picture_is_shown_as_large_as_it_fits(tmp_path: Path, task: Segmentation) -> None:
    """Height or width is the limit; small pictures grow; one pixel is left at least."""
    for size, expected in (((100, 200), (24, 12)), ((8, 4), (16, 32)), ((4000, 3), (1, 32)), ((24, 32), (24, 18))):
        Image.new("RGB", size).save(tmp_path / "p.png")
        assert task.sample(str(tmp_path / "p.png"))["input"].shape[1:] == expected


def test_shares_are_of_the_picture_s_own_pixels_the_largest_first(task: Segmentation) -> None:
    """A batch may have padded it; equal shares come in the order of the classes."""
    prediction = torch.full((6, 8), 1, dtype=torch.uint8)
    prediction[:3, :2], prediction[1, 2] = 2, 0
    sample = {"input": torch.zeros(3, 6, 8, dtype=torch.uint8), "size": torch.tensor([3, 4])}
    shares = task.describe(sample, prediction)["shares"]
    assert list(shares.items()) == [("red cup", 0.5), ("cat", 0.4167), ("background", 0.0833)]
    prediction[:, :] = torch.tensor([2, 0]).repeat(4)
    assert list(task.describe(sample, prediction)["shares"]) == ["background", "red cup"]
    assert task.draw(sample, prediction).size == (4, 3)


def test_masks_are_enlarged_to_the_nearest_class(task: Segmentation) -> None:
    """A border between 0 and 2 has no 1 on it."""
    mask = torch.tensor([[0, 2], [2, 0]], dtype=torch.uint8)
    sample = {"input": torch.zeros(3, 2, 2, dtype=torch.uint8), "original_size": [8, 6]}
    enlarged = task._mask(sample, mask).numpy()
    assert np.array_equal(enlarged, np.kron([[0, 2], [2, 0]], np.ones((4, 3))))


def test_padding_stands_at_the_right_and_at_the_bottom(task: Segmentation) -> None:
    samples = [
        {"input": torch.full((3, *size), 9, dtype=torch.uint8), "mask": torch.ones(size, dtype=torch.uint8)}
        for size in ((2, 5), (4, 3))
    ]
    batch = task.collate(samples)
    assert batch["input"].shape == (2, 3, 4, 5) and batch["mask"].shape == (2, 4, 5)
    for number, (height, width) in enumerate(((2, 5), (4, 3))):
        own = torch.zeros(4, 5, dtype=torch.bool)
        own[:height, :width] = True
        assert torch.equal(batch["mask"][number] == 1, own) and torch.equal(batch["input"][number, 2] == 9, own)
        assert (batch["mask"][number][~own] == VOID).all() and not batch["input"][number][:, ~own].any()
    assert "size" not in task.collate(samples[:1] * 2)
    assert "mask" not in task.collate([{"input": samples[0]["input"]}])


def test_pictures_are_normalised_and_the_likeliest_class_is_predicted(task: Segmentation) -> None:
    batch = {"input": torch.tensor([0, 255], dtype=torch.uint8).expand(1, 3, 1, 2), "mask": torch.zeros(1, 1, 2)}
    shown = task.forward(lambda pictures: pictures, batch)
    torch.testing.assert_close(shown, torch.tensor([-2.0, 2.0]).expand(1, 3, 1, 2))
    logits = torch.tensor([[1.0, 0.0], [2.0, -1.0], [0.0, 5.0]]).view(1, 3, 1, 2)
    assert task.predict(None, batch, logits).tolist() == [[[1, 2]]] and task.target(batch).dtype == torch.int64


def test_the_difficulty_is_the_share_of_wrong_pixels_that_are_not_void(task: Segmentation) -> None:
    truth = torch.tensor([[0, 1, VOID, VOID, 2]], dtype=torch.uint8)
    assert task.difficulty({"mask": truth}, torch.tensor([[0, 2, 1, 1, 2]], dtype=torch.uint8)) == pytest.approx(1 / 3)


def test_an_overlay_paints_classes_in_their_colours_and_names_those_that_are_there() -> None:
    """Three fifths of the colour, two of the picture; background and void stay clear; the legend is at the top left."""
    picture = Image.new("RGB", (200, 100), (100, 100, 100))
    mask = torch.zeros(100, 200, dtype=torch.uint8)
    mask[50:, :100], mask[50:, 100:] = 2, VOID
    painted = overlay(picture, mask, CLASSES)
    expected = [round(0.6 * part + 0.4 * 100) for part in class_color(2)]
    assert np.abs(np.array(painted.getpixel((50, 80))) - expected).max() <= 1
    assert painted.getpixel((150, 80)) == painted.getpixel((150, 40)) == (100, 100, 100)
    assert painted.getpixel((1, 1)) == class_color(2)
    row = np.array(overlay(picture, mask, CLASSES, beside=True))
    assert row.shape == (100, 408, 3) and (row[:, 200:208] == 255).all()
    assert (row[:, :200] == 100).all() and np.array_equal(row[:, 208:], np.array(painted))


def test_a_legend_goes_on_in_the_next_line_and_its_letters_stand_out() -> None:
    """White on dark, black on light; a name too wide for the picture begins at its edge all the same."""
    names = ["background", *(f"class number {number}" for number in range(1, 8))]
    mask = torch.arange(8, dtype=torch.uint8).repeat_interleave(30).expand(240, 240).contiguous()
    painted = np.array(overlay(Image.new("RGB", (240, 240)), mask, names))
    size = 10
    for number in range(1, 8):
        red, green, blue = class_color(number)
        places = np.argwhere((painted == (red, green, blue)).all(axis=2))
        assert len(places) > 100, "the ground of its name"
        box = painted[places[:, 0].min() : places[:, 0].max() + 1, places[:, 1].min() : places[:, 1].max() + 1]
        assert len(box) == size + 6
        letters = box.astype(int).sum(axis=2)
        dark = 0.299 * red + 0.587 * green + 0.114 * blue < 140
        assert (letters.max() > 600) if dark else (letters.min() < 150)
    wide = overlay(Image.new("RGB", (30, 60)), torch.ones(60, 30, dtype=torch.uint8), ["background", "a long name"])
    assert wide.getpixel((0, 0)) == class_color(1)


def test_a_mask_file_shows_the_classes_colours(tmp_path: Path) -> None:
    mask = torch.tensor([[0, 1, 2, VOID]], dtype=torch.uint8)
    palette_picture(mask, CLASSES).save(tmp_path / "mask.png")
    assert torch.equal(read_mask(tmp_path / "mask.png"), mask)
    colours = np.array(Image.open(tmp_path / "mask.png").convert("RGB"))[0]
    assert colours.tolist() == [[0, 0, 0], list(class_color(1)), list(class_color(2)), [255, 255, 255]]


def test_a_mask_of_bits_has_the_classes_0_and_1(tmp_path: Path) -> None:
    Image.fromarray(np.eye(3, dtype=bool)).save(tmp_path / "bits.png")
    assert torch.equal(read_mask(tmp_path / "bits.png"), torch.eye(3, dtype=torch.uint8))
    with pytest.raises(InputError, match="there is no mask"):
        read_mask(tmp_path / "none.png")


def test_what_a_report_shows(task: Segmentation) -> None:
    """Picture and truth in a row, and the prediction; the background stays as it is, a class gets its colour."""
    picture = torch.full((3, 60, 80), 100, dtype=torch.uint8)
    mask = torch.zeros(60, 80, dtype=torch.uint8)
    mask[30:] = 1
    sample = {"input": picture, "mask": mask}
    truth, found = task.draw(sample, mask, truth=True), task.draw(sample, mask)
    assert truth.size == (168, 60) and found.size == (80, 60)
    assert np.array_equal(np.array(truth)[:, :80], np.array(tensor_to_picture(picture)))
    assert (np.array(found)[20:30] == 100).all()
    assert not (np.array(found)[40:] == 100).all(axis=-1).any()
    assert task.difficulty(sample, mask) == 0
    assert task.difficulty(sample, torch.zeros_like(mask)) == 0.5
    assert task.difficulty({**sample, "mask": torch.full_like(mask, VOID)}, mask) == 0
