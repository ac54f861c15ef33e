"""Any folder in PASCAL VOC's layout for segmentation: JPEGImages/, SegmentationClass/ and ImageSets/Segmentation/."""

from __future__ import annotations

from pathlib import Path

from zoo import Data, InputError, find_data
from zoo_vision.bounds import Size
from zoo_vision.picture_files import MEAN, STD
from zoo_vision.segmentation.crops import Change, RandomCrop
from zoo_vision.segmentation.masks import VOID
from zoo_vision.segmentation.pictures import MaskedPicture, largest, make_split

SPLITS = ("train", "val", "test")
SUFFIXES = (".jpg", ".png", ".jpeg", ".JPG")

# PASCAL VOC's classes, in the order of its masks' values (Everingham et al., 2010).
VOC = (
    "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "dining table",
    "dog", "horse", "motorbike", "person", "potted plant", "sheep", "sofa", "train", "tv",
)  # fmt: skip
FETCHED = {  # as Dive into Deep Learning 14.9 fetches it, with the sha1 that it states
    "VOC2012": (
        "https://d2l-data.s3-accelerate.amazonaws.com/VOCtrainval_11-May-2012.tar",
        "sha1:4e443f8a2eca6b1dac8a6c57641b67dd40621a49",
    )
}


def voc_segmentation(
    folder: str = "VOC2012",
    root: Path | None = None,
    crop: Size = (320, 480),
    augment: list[Change] = ["scale", "flip", "color"],  # noqa: B006
    classes: list[str] | None = None,
) -> Data:
    """Pictures with masks from a folder in PASCAL VOC's layout (Everingham et al., 2010, section 3.1).

    Splits are the files `train`, `val` and `test` in ImageSets/Segmentation, as far as there are any. Masks are PNG
    files with a palette or in grey whose values are classes; 255 is void, the border of VOC's objects, and counts
    nowhere. Training samples are crops, drawn anew each time, see `RandomCrop`; other splits are whole pictures.

    Args:
        folder: name of the folder, under `$ZOO_DATA` or in the cache. VOC2012 is fetched when it is not there.
        root: the folder itself, wherever it is.
        crop: height and width of training samples.
        augment: what is changed beside the crop's place.
        classes: names, in the order of the mask's values; by default those in classes.txt in the folder, one a line,
            or VOC's.

    Raises:
        zoo.InputError: there is no such folder; a picture or mask is missing, they differ in size, or a mask has a
            value beyond the classes. It names the file.
    """
    url, hash = FETCHED.get(folder, (None, None))
    help = f"put a folder with JPEGImages, SegmentationClass and ImageSets/Segmentation at $ZOO_DATA/{folder}"
    found = find_data(folder, root, url=url, hash=hash, help=f"{help}, or name it as `root`")
    if (found / "VOCdevkit").is_dir():  # the archive has folders of its own
        found = found / "VOCdevkit" / folder
    classes = classes or _classes(found)
    entries = {split: [_entry(found, name) for name in names] for split, names in _names(found)}
    splits = {
        split: make_split(own, len(classes), RandomCrop(crop, augment) if split == "train" else None)
        for split, own in entries.items()
    }
    size = largest([entry for own in entries.values() for entry in own])
    count = {"num_classes": len(classes), "num_mask_classes": len(classes)}
    return Data(
        splits=splits,
        facts={**count, "ignore_index": VOID, "channels": 3, "input_size": list(crop)},
        assets={
            "mask_classes": classes,
            "preprocess": {"size": size, "mean": list(MEAN), "std": list(STD)},
        },
    )


def _classes(root: Path) -> list[str]:
    file = root / "classes.txt"
    if not file.is_file():
        return list(VOC)
    classes = [line.strip() for line in _text(file).splitlines() if line.strip()]
    if not classes:
        raise InputError(f"{file} names no class")
    return classes


def _names(root: Path) -> list[tuple[str, list[str]]]:
    folder = root / "ImageSets" / "Segmentation"
    found = [(split, _text(folder / f"{split}.txt").split()) for split in SPLITS if (folder / f"{split}.txt").is_file()]
    if not found:
        raise InputError(f"there is neither train.txt nor val.txt nor test.txt in {folder}")
    for split, names in found:
        if not names:
            raise InputError(f"{folder / split}.txt names no picture")
    return found


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not text: {error}") from error


def _entry(root: Path, name: str) -> MaskedPicture:
    candidates = [root / "JPEGImages" / f"{name}{suffix}" for suffix in SUFFIXES]
    picture = next((file for file in candidates if file.is_file()), None)
    if picture is None:
        raise InputError(f"there is no picture {candidates[0]}")
    mask = root / "SegmentationClass" / f"{name}.png"
    if not mask.is_file():
        raise InputError(f"the picture {picture} has no mask: there is no {mask}")
    return MaskedPicture(picture, mask)
