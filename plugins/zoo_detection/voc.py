"""Any folder in PASCAL VOC's layout: Annotations/*.xml, ImageSets/Main/*.txt and JPEGImages/."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from PIL import Image

from zoo import Data, InputError, TensorSplit, find_data
from zoo_detection.augment import SampleAugment
from zoo_detection.boxed_pictures import MEAN, STD, BoxedPicture, BoxedPictures, whole_tensors

SPLITS = ("train", "val", "test")
CROP_DETAIL = 2  # training pictures are kept this much larger than `size`, so that a crop is not a blur

SOURCES = {
    "bccd": "its folder BCCD is in https://github.com/Shenggan/BCCD_Dataset",
    "raccoon": "its pictures and annotations are in https://github.com/datitran/raccoon_dataset; "
    "list the names of 160 and 40 of them in ImageSets/Main/train.txt and val.txt",
}


def voc_boxes(
    folder: str,
    root: Path | None = None,
    size: tuple[int, int] = (256, 256),
    classes: list[str] | None = None,
    augment: bool = True,
) -> Data:
    """Pictures with boxes from a folder in PASCAL VOC's layout (Everingham et al. 2010, The PASCAL VOC Challenge).

    Splits are the files `train`, `val` and `test` in ImageSets/Main, as far as there are any. Boxes count pixels from 1
    and include their last, as VOC's do; they are cut at the picture's edge, and left out where no area remains. Objects
    marked difficult are left out, in scoring too. A picture without objects stays.

    Training samples are augmented one by one, see `SampleAugment`, in workers where there are any: crops and zoom gain
    more on a few hundred photographs than a fast step does. Other splits are whole tensors, where they fit in memory.

    Args:
        folder: name of the folder, under `$ZOO_DATA` or in the cache.
        root: the folder itself, wherever it is.
        size: height and width that pictures are resized to; their shape is let go.
        classes: names, in the order of the labels; objects of other classes are left out. All that occur, sorted, by
            default.
        augment: change training pictures each time they are seen.

    Raises:
        zoo.InputError: there is no such folder, or a file in it is missing or not what it should be. It names the file.
    """
    help = f"put a folder with Annotations, ImageSets/Main and JPEGImages at $ZOO_DATA/{folder}, or name it as `root`"
    if folder in SOURCES:
        help += f"; {SOURCES[folder]}"
    found = find_data(folder, root, help=help)
    annotations = {split: [read_annotation(found, name) for name in names] for split, names in _names(found)}
    classes = _classes((one for split in annotations.values() for one in split), classes, found)
    entries = {split: [one.boxed(classes) for one in own] for split, own in annotations.items()}
    splits = {split: _split(own, size, augmented=augment and split == "train") for split, own in entries.items()}
    return Data(
        splits=splits,
        facts={"num_classes": len(classes), "input_size": list(size)},
        assets={"classes": classes, "preprocess": {"size": list(size), "mean": MEAN, "std": STD}},
    )


def _split(entries: Sequence[BoxedPicture], size: tuple[int, int], augmented: bool) -> TensorSplit | BoxedPictures:
    if augmented:
        height, width = size
        return BoxedPictures(entries, (height * CROP_DETAIL, width * CROP_DETAIL), SampleAugment(size), size)
    split = BoxedPictures(entries, size)
    return TensorSplit(**whole_tensors(split)) if split.fits else split


def _names(root: Path) -> list[tuple[str, list[str]]]:
    """The splits that a folder has, with the names of their pictures: the first word of each line."""
    files = [root / "ImageSets" / "Main" / f"{split}.txt" for split in SPLITS]
    found = [
        (file, [line.split()[0] for line in _text(file).splitlines() if line.strip()])
        for file in files
        if file.is_file()
    ]
    if not found:
        raise InputError(f"there is neither train.txt nor val.txt nor test.txt in {files[0].parent}")
    for file, names in found:
        if not names:
            raise InputError(f"{file} names no picture")
    return [(file.stem, names) for file, names in found]


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not text: {error}") from error


def _classes(annotations: Iterable[Annotation], wanted: list[str] | None, root: Path) -> list[str]:
    present = sorted({name for annotation in annotations for name, _ in annotation.objects})
    if not present:
        raise InputError(f"no annotation in {root} has an object")
    for name in wanted or ():
        if name not in present:
            raise InputError(f"no object in {root} is of class `{name}`", f"its classes are {', '.join(present)}")
    return present if wanted is None else wanted


@dataclass(frozen=True)
class Annotation:
    """A picture, and its objects: class, and corners in shares of the picture."""

    picture: Path
    objects: list[tuple[str, Sequence[float]]]

    def boxed(self, classes: list[str]) -> BoxedPicture:
        known = [(classes.index(name), box) for name, box in self.objects if name in classes]
        return BoxedPicture(self.picture, [box for _, box in known], [label for label, _ in known])


def read_annotation(root: Path, name: str) -> Annotation:
    """Read `Annotations/<name>.xml`; what is difficult or has no area is left out.

    The picture is the file in JPEGImages that the XML names, or else the one called `name`.
    """
    file = root / "Annotations" / f"{name}.xml"
    tree = parse_xml(file)
    picture = _picture(root / "JPEGImages", file, tree.findtext("filename", ""), name)
    width, height = _picture_size(picture)
    objects: list[tuple[str, Sequence[float]]] = []
    for node in tree.iter("object"):
        label = node.findtext("name", "").strip()
        if not label:
            raise InputError(f"{file}: an object has no name")
        left, top, right, bottom = (_corner(node, side, file) for side in ("xmin", "ymin", "xmax", "ymax"))
        box = max(left - 1, 0) / width, max(top - 1, 0) / height, min(right / width, 1), min(bottom / height, 1)
        difficult = node.findtext("difficult", "0").strip() == "1"
        if not difficult and box[0] < box[2] and box[1] < box[3]:
            objects.append((label, box))
    return Annotation(picture, objects)


def parse_xml(file: Path) -> Element:
    """The root element. A document type is refused, and with it every entity that could be expanded or fetched."""

    def refuse(*declaration: Any) -> None:
        raise InputError(f"{file} declares a document type, which no annotation needs")

    builder = TreeBuilder()
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(file.read_bytes(), True)
    except FileNotFoundError as error:
        raise InputError(f"there is no annotation {file}") from error
    except expat.ExpatError as error:
        raise InputError(f"{file} is not well-formed XML: {error}") from error
    return builder.close()


def _picture(folder: Path, annotation: Path, filename: str, name: str) -> Path:
    candidates = [folder / Path(filename.strip()).name] if filename.strip() else []
    candidates += [folder / f"{name}{suffix}" for suffix in (".jpg", ".jpeg", ".png", ".JPG")]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise InputError(f"{annotation} is about a picture that is missing: {candidates[0]}")


def _picture_size(file: Path) -> tuple[int, int]:
    """Width and height of a picture once upright; only its head is read. What the XML says is often wrong."""
    try:
        with Image.open(file) as picture:
            sideways = picture.getexif().get(0x0112, 1) >= 5  # EXIF's orientation
            return (picture.height, picture.width) if sideways else picture.size
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{file} cannot be read as a picture: {error}") from error


def _corner(node: Element, side: str, file: Path) -> float:
    text = node.findtext(f"bndbox/{side}", "")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{file}: `{side}` of an object is `{text}`, not a number")
    return value
