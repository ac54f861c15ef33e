"""Segmentation: what is counted, what is cropped together, and what the network begins as."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch import nn
from torch.nn import functional as F  # noqa: N812

from tests.reference.masks import dice_loss, ious
from zoo import tensor_to_picture
from zoo_vision.alexnet import AlexNet
from zoo_vision.resnet import ResNet
from zoo_vision.segmentation.crops import GREY, Change, RandomCrop
from zoo_vision.segmentation.fcn import FCN, bilinear_upsampling
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
    assert float(Dice()(logits, truth)) == pytest.approx(dice_loss(logits, truth, VOID), abs=1e-5)


def test_dice_of_the_truth_is_nothing_and_void_counts_nowhere() -> None:
    truth = torch.tensor([[[0, 1], [2, VOID]]])
    logits = 100.0 * F.one_hot(truth.where(truth != VOID, 0), 3).permute(0, 3, 1, 2)
    assert float(Dice()(logits, truth)) == pytest.approx(0, abs=1e-5)
    logits.requires_grad_()
    Dice()(logits, truth).backward()
    assert not logits.grad[:, :, 1, 1].any()
    assert Dice()(logits, torch.full_like(truth, VOID)).item() == 0


# Crops


def half_and_half(height: int, width: int) -> dict[str, torch.Tensor]:
    """Four pictures, black and class 0 at the left, bright and class 1 at the right."""
    mask = (torch.arange(width) >= width // 2).to(torch.uint8).expand(4, height, width)
    return {"input": (200 * mask)[:, None].expand(4, 3, height, width), "mask": mask}


@given(
    height=st.integers(4, 40),
    width=st.integers(4, 40),
    size=st.tuples(st.integers(4, 40), st.integers(4, 40)),
    changes=st.sets(st.sampled_from(["scale", "flip"])),
    seed=st.integers(0, 99),
)
def test_picture_and_mask_are_cropped_together(
    height: int, width: int, size: tuple[int, int], changes: set[Change], seed: int
) -> None:
    """Wherever the pixel shown is not mixed from both halves, the mask says the half; beyond the edge it is void."""
    crop = RandomCrop(size, sorted(changes))
    batch = crop(half_and_half(height, width), torch.Generator().manual_seed(seed))
    pixels, mask = batch["input"][:, 0], batch["mask"]
    assert mask.shape == (4, *size) and batch["input"].shape == (4, 3, *size)
    assert batch["input"].dtype == mask.dtype == torch.uint8
    assert set(mask.unique().tolist()) <= {0, 1, VOID}
    assert (mask[pixels > 180] == 1).all()
    assert (mask[pixels < 20] == 0).all()
    inner = pixels[mask == VOID]
    assert ((inner.int() - GREY).abs() <= 128).all()
    if "scale" not in changes and size[0] <= height and size[1] <= width:
        assert VOID not in mask


def test_a_crop_of_the_whole_is_the_whole_and_a_smaller_picture_lies_within() -> None:
    batch = half_and_half(8, 12)
    whole = RandomCrop((8, 12), [])(batch, torch.Generator().manual_seed(0))
    assert torch.equal(whole["input"], batch["input"]) and torch.equal(whole["mask"], batch["mask"])
    within = RandomCrop((20, 20), [])(batch, torch.Generator().manual_seed(0))
    assert ((within["mask"] != VOID).sum((1, 2)) == 8 * 12).all()
    assert (within["input"][:, 0][within["mask"] == VOID] == GREY).float().mean() > 0.8


def test_flips_and_places_are_drawn_for_every_picture() -> None:
    batch = RandomCrop((6, 6), ["flip"])(half_and_half(6, 12), torch.Generator().manual_seed(1))
    assert len({tuple(mask.flatten().tolist()) for mask in batch["mask"]}) > 1


# The network


@pytest.mark.parametrize("factor", [2, 4, 8, 16])
def test_upsampling_begins_as_bilinear_interpolation(factor: int) -> None:
    """Against torch's own, away from the border, where `interpolate` repeats the edge and a convolution sees zeros."""
    pictures = torch.randn(2, 3, 6, 7)
    enlarged = bilinear_upsampling(3, factor)(pictures)
    theirs = F.interpolate(pictures, scale_factor=factor, mode="bilinear", align_corners=False)
    assert enlarged.shape == theirs.shape
    inner = slice(factor, -factor)
    torch.testing.assert_close(enlarged[..., inner, inner], theirs[..., inner, inner])


def test_47_a_transposed_convolution_restores_the_shape_and_not_the_values() -> None:
    picture = torch.randn(1, 1, 8, 8)
    weight = torch.randn(1, 1, 4, 4)
    there = F.conv2d(picture, weight, stride=2, padding=1)
    back = F.conv_transpose2d(there, weight, stride=2, padding=1)
    assert back.shape == picture.shape
    assert not torch.allclose(back, picture, atol=0.1)
    # It is the transpose of the convolution's matrix, not its inverse.
    basis = torch.eye(64).view(64, 1, 8, 8)
    matrix = F.conv2d(basis, weight, stride=2, padding=1).flatten(1).T
    torch.testing.assert_close(matrix.T @ there.flatten(), back.flatten(), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("stride", "scored"), [(32, ["32"]), (16, ["16", "32"]), (8, ["8", "16", "32"])])
@pytest.mark.parametrize("size", [(64, 96), (45, 70)])
def test_fcn_gives_logits_of_the_picture_s_size(stride: int, scored: list[str], size: tuple[int, int]) -> None:
    model = FCN(5, ResNet(10, width=0.1), stride).eval()
    assert list(model.score) == scored
    assert model(torch.randn(2, 3, *size)).shape == (2, 5, *size)


def test_finer_scores_begin_as_nothing() -> None:
    """So FCN-8s begins as FCN-32s with two stages of interpolation in between."""
    torch.manual_seed(0)
    model = FCN(5, ResNet(10, width=0.1)).eval()
    assert not any(model.score[stride].weight.any() for stride in ("8", "16"))
    assert model.score["32"].weight.any()


def test_the_head_of_the_backbone_is_gone_and_its_names_stay() -> None:
    backbone = ResNet(10, width=0.1)
    names = {name for name, _ in backbone.named_parameters() if not name.startswith("classifier")}
    assert {name for name, _ in FCN(5, backbone).backbone.named_parameters()} == names


@pytest.mark.parametrize("name", ["mobilenet_v2", "resnet18", "densenet121", "googlenet", "vgg11"])
def test_any_backbone_will_do(name: str) -> None:
    """torchvision's, on the meta device: shapes alone."""
    from torchvision import models

    settings = {"aux_logits": False, "init_weights": False} if name == "googlenet" else {}
    with torch.device("meta"):
        model = FCN(21, getattr(models, name)(**settings)).eval()
        assert model(torch.empty(1, 3, 224, 224)).shape == (1, 21, 224, 224)


def test_a_backbone_without_such_features_is_refused() -> None:
    with pytest.raises(ValueError, match="no features at stride 8 and 16 and 32"):
        FCN(5, nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.MaxPool2d(2)))
    with pytest.raises(ValueError, match="no features at stride 32"):
        FCN(5, AlexNet(10, 3, (128, 128), width=0.1))


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
