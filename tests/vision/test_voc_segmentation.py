"""Folders in VOC's layout: what is read, cropped and kept whole, and what is refused."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.models.segmentation import FCN_ResNet50_Weights

from zoo import InputError, Task, TensorSplit
from zoo.training.batches import make_batches
from zoo_vision.segmentation import pictures
from zoo_vision.segmentation.masks import VOID
from zoo_vision.segmentation.voc_segmentation import voc_segmentation

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a folder of three pictures, two to train on; keywords replace the masks' pixels by name."""
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))

    def make(size: tuple[int, int] = (12, 10), **masks: np.ndarray) -> Path:
        root = tmp_path / "set"
        for folder in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        (root / "classes.txt").write_text("sky\nroad\n")
        for number, name in enumerate(("one", "two", "three")):
            pixels = np.full((*size, 3), 40 * number, np.uint8)
            Image.fromarray(pixels).save(root / "JPEGImages" / f"{name}.png")
            mask = masks.get(name, np.full(size, number % 2, np.uint8))
            Image.fromarray(mask).save(root / "SegmentationClass" / f"{name}.png")
        (root / "ImageSets" / "Segmentation" / "train.txt").write_text("one\ntwo\n")
        (root / "ImageSets" / "Segmentation" / "val.txt").write_text("three\n")
        return root

    return make


def test_pictures_of_one_size_are_whole_tensors(write: Write) -> None:
    data = voc_segmentation(root=str(write()), crop=(6, 8), augment=[])
    assert data.facts["num_mask_classes"] == data.facts["num_classes"] == 2
    assert data.facts["ignore_index"] == VOID
    assert data.assets["mask_classes"] == ["sky", "road"]
    assert data.assets["preprocess"]["size"] == [12, 10]
    train, val = data.splits["train"], data.splits["val"]
    assert train.tensors["input"].shape == (2, 3, 12, 10) and train.names == ["one", "two"]
    assert (train.tensors["mask"][1] == 1).all()
    batch = train.transform(dict(train.tensors), torch.Generator().manual_seed(0))
    assert batch["input"].shape == (2, 3, 6, 8) and batch["mask"].shape == (2, 6, 8)
    assert val.transform is None and val.tensors["input"].shape == (1, 3, 12, 10)


def test_pictures_of_many_sizes_are_samples(write: Write) -> None:
    root = write()
    Image.new("RGB", (30, 20)).save(root / "JPEGImages" / "two.png")
    Image.new("L", (30, 20), 1).save(root / "SegmentationClass" / "two.png")
    (root / "ImageSets" / "Segmentation" / "val.txt").write_text("two\nthree\n")
    data = voc_segmentation(root=str(root), crop=(6, 8))
    assert data.assets["preprocess"]["size"] == [20, 30]
    train, val = data.splits["train"], data.splits["val"]
    torch.manual_seed(0)
    assert [train[index]["mask"].shape for index in (0, 1)] == [(6, 8), (6, 8)]
    assert [val[index]["mask"].shape for index in (0, 1)] == [(20, 30), (12, 10)]
    assert [train.plain[index]["mask"].shape for index in (0, 1)] == [(12, 10), (20, 30)]


def test_training_pictures_are_cropped_as_the_recipe_says_and_others_are_whole(write: Write) -> None:
    """In whole tensors, and where sizes differ."""
    root = write()
    (root / "ImageSets" / "Segmentation" / "test.txt").write_text("three\n")
    for augment in ([], ["flip", "color"]):
        splits = voc_segmentation(root=str(root), crop=(6, 8), augment=augment).splits
        crops = {name: split.transform for name, split in splits.items()}
        assert crops["val"] is crops["test"] is None
        assert (crops["train"].size, list(crops["train"].changes)) == ((6, 8), augment)
    assert voc_segmentation(root=str(root)).splits["train"].transform.changes == ["scale", "flip", "color"]
    Image.new("RGB", (30, 20)).save(root / "JPEGImages" / "two.png")
    Image.new("L", (30, 20), 1).save(root / "SegmentationClass" / "two.png")
    splits = voc_segmentation(root=str(root), crop=(6, 8), augment=["flip"]).splits
    assert splits["train"].crop.size == (6, 8) and splits["train"].crop.changes == ["flip"]
    assert splits["val"].transform is None and splits["train"].names == ["one", "two"]


def test_samples_are_cropped_anew_each_time_and_alike_from_one_seed(write: Write) -> None:
    root = write()
    random = np.random.default_rng(0)
    for name, size in (("one", (40, 30)), ("two", (20, 30))):
        Image.fromarray(random.integers(0, 256, (*size, 3), dtype=np.uint8)).save(root / "JPEGImages" / f"{name}.png")
        Image.fromarray(random.integers(0, 2, size, dtype=np.uint8)).save(root / "SegmentationClass" / f"{name}.png")
    train = voc_segmentation(root=str(root), crop=(6, 8)).splits["train"]

    def epoch(number: int) -> set[bytes]:
        batches = make_batches(train, 2, torch.device("cpu"), Task().collate, seed=1, training=True)
        return {picture.numpy().tobytes() for picture in next(batches.epoch(number))["input"]}

    assert epoch(0) == epoch(0) and epoch(0).isdisjoint(epoch(1))
    whole, size = train.plain, (40, 30)
    assert whole[0]["mask"].shape == size and torch.equal(whole[0]["input"], whole[0]["input"])


def test_a_changed_mask_is_read_again(write: Write) -> None:
    """Beside a picture that did not change, and at the same size in bytes."""
    root = write()
    file = root / "SegmentationClass" / "three.png"
    sizes = []
    for label in (0, 1):
        Image.fromarray(np.full((12, 10), label, np.uint8)).save(file, compress_level=0)
        sizes.append(file.stat().st_size)
        assert (voc_segmentation(root=str(root)).splits["val"][0]["mask"] == label).all()
    assert sizes[0] == sizes[1]
    with pytest.raises(InputError, match="the value 1 at row 0, column 0 is no class: there are 1"):
        voc_segmentation(root=str(root), classes=["sky"])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_on_its_side_is_turned_and_measured_upright(write: Write, orientation: int) -> None:
    """EXIF's orientations 5 to 8 swap height and width; the mask is of what a person sees."""
    size = (12, 10) if orientation < 5 else (10, 12)
    root = write()
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (12, 10, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    for name in ("one", "two", "three"):
        picture.save(root / "JPEGImages" / f"{name}.png", exif=exif)
        Image.fromarray(np.zeros(size, np.uint8)).save(root / "SegmentationClass" / f"{name}.png")
    data = voc_segmentation(root=str(root))
    assert data.assets["preprocess"]["size"] == list(size) and data.splits["val"][0]["input"].shape == (3, *size)


def test_a_set_too_large_is_read_when_asked_for_and_checked_before(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write()
    kept = voc_segmentation(root=str(root)).splits["val"][0]
    monkeypatch.setattr(pictures, "MEMORY", 10)
    split = voc_segmentation(root=str(root)).splits["val"]
    assert isinstance(split, pictures.MaskedPictures) and split.kept is None
    assert torch.equal(split[0]["input"], kept["input"]) and torch.equal(split[0]["mask"], kept["mask"])
    with pytest.raises(InputError, match="the value 7 at row 0, column 0 is no class"):
        voc_segmentation(root=str(write(one=np.full((12, 10), 7, np.uint8))))


@pytest.mark.parametrize("ending", ["jpg", "jpeg", "JPG"])
def test_pictures_may_be_jpeg_files(write: Write, ending: str) -> None:
    """A mask has to be a PNG file: JPEG changes its classes."""
    root = write()
    for name in ("one", "two", "three"):
        (root / "JPEGImages" / f"{name}.png").unlink()
        Image.new("RGB", (10, 12), (200, 0, 0)).save(root / "JPEGImages" / f"{name}.{ending}", "JPEG")
    picture = voc_segmentation(root=str(root)).splits["val"][0]["input"]
    assert abs(int(picture[0, 5, 5]) - 200) < 5 and int(picture[2, 5, 5]) < 5


def test_a_palette_s_colours_do_not_matter_and_void_is_kept(write: Write) -> None:
    root = write()
    mask = Image.fromarray(np.where(np.eye(12, 10, dtype=bool), VOID, 1).astype(np.uint8), "P")
    mask.putpalette([9, 8, 7] * 256)
    mask.save(root / "SegmentationClass" / "three.png")
    found = voc_segmentation(root=str(root)).splits["val"][0]["mask"]
    assert set(found.unique().tolist()) == {1, VOID} and (found == VOID).sum() == 10


def test_without_classes_txt_they_are_voc_s(write: Write) -> None:
    root = write()
    (root / "classes.txt").unlink()
    classes = voc_segmentation(root=str(root)).assets["mask_classes"]
    theirs = FCN_ResNet50_Weights.DEFAULT.meta["categories"]
    assert [name.replace(" ", "") for name in classes] == ["background", *theirs[1:-1], "tv"]
    assert theirs[-1] == "tvmonitor"


def test_classes_of_the_recipe_come_before_those_of_the_folder(write: Write) -> None:
    assets = voc_segmentation(root=str(write()), classes=["air", "street", "grass"]).assets
    assert assets["mask_classes"] == ["air", "street", "grass"]


def test_the_memory_that_a_set_takes_counts_picture_and_mask(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write()
    monkeypatch.setattr(pictures, "MEMORY", 2 * 12 * 10 * 4)
    assert isinstance(voc_segmentation(root=str(root)).splits["train"], TensorSplit)
    monkeypatch.setattr(pictures, "MEMORY", 2 * 12 * 10 * 4 - 1)
    assert isinstance(voc_segmentation(root=str(root)).splits["train"], pictures.MaskedPictures)


def test_what_goes_into_the_model_and_with_the_weights(write: Write) -> None:
    data = voc_segmentation(root=str(write()), crop=(6, 8))
    assert data.facts == {
        "num_classes": 2, "num_mask_classes": 2, "ignore_index": 255, "channels": 3, "input_size": [6, 8],
    }  # fmt: skip
    theirs = FCN_ResNet50_Weights.DEFAULT.transforms()
    assert data.assets["preprocess"] == {"size": [12, 10], "mean": theirs.mean, "std": theirs.std}


def test_bad_folders(write: Write) -> None:
    """Each is refused before anything is trained, and the file is named."""

    def refused(message: str) -> None:
        with pytest.raises(InputError, match=message):
            voc_segmentation(root=str(root))

    root = write(two=np.zeros((12, 11), np.uint8))
    refused(r"two.png measures 10x12 pixels and its mask .*two.png 11x12")
    root = write(two=np.full((12, 10), 2, np.uint8))
    refused(r"two.png: the value 2 at row 0, column 0 is no class: there are 2")
    root = write(two=np.zeros((12, 10, 3), np.uint8))
    refused(r"two.png has pixels of mode RGB")
    root = write()
    (root / "SegmentationClass" / "three.png").unlink()
    refused(r"three.png has no mask")
    root = write()
    (root / "SegmentationClass" / "three.png").write_bytes(b"not a picture")
    refused(r"three.png cannot be read")
    root = write()
    (root / "JPEGImages" / "one.png").unlink()
    refused(r"there is no picture .*one.jpg")
    root = write()
    (root / "ImageSets" / "Segmentation" / "val.txt").write_text("\n")
    refused(r"val.txt names no picture")
    root = write()
    (root / "classes.txt").write_text("")
    refused(r"classes.txt names no class")
    root = write()
    for file in (root / "ImageSets" / "Segmentation").iterdir():
        file.unlink()
    refused(r"neither train.txt nor val.txt")


@pytest.mark.skipif("ZOO_DATA" not in os.environ, reason="CamVid is in $ZOO_DATA")
def test_camvid() -> None:
    data = voc_segmentation("camvid")
    assert {split: len(own) for split, own in data.splits.items()} == {"train": 367, "val": 101}
    assert len(data.assets["mask_classes"]) == 11
    assert set(data.splits["val"].tensors["mask"].unique().tolist()) <= {*range(11), VOID}
