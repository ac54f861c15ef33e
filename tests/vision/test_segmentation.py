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
from zoo import tensor_to_picture
from zoo_vision.resnet import ResNet
from zoo_vision.segmentation.fcn import FCN
from zoo_vision.segmentation.losses import Dice
from zoo_vision.segmentation.masks import VOID
from zoo_vision.segmentation.metrics import MeanIoU
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
