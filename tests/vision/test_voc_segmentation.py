"""Folders in VOC's layout: what is read, cropped and kept whole, and what is refused."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from zoo import InputError
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
    assert len(classes) == 21 and classes[0] == "background" and classes[15] == "person"


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
