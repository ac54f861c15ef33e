"""`voc_boxes` on a small folder that each test writes and spoils, and on real ones where `$ZOO_DATA` has them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from zoo import InputError
from zoo_detection import boxed_pictures
from zoo_detection.voc import parse_xml, voc_boxes

Box = tuple[float | str, float | str, float | str, float | str]
Thing = tuple[str, Box] | tuple[str, Box, int]


class Folder:
    """A VOC folder in the making. Pictures are 40 wide and 20 high."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("Annotations", "ImageSets/Main", "JPEGImages"):
            (root / name).mkdir(parents=True)

    def add(self, name: str, things: Sequence[Thing] = (), mode: str = "RGB", filename: str | None = None) -> None:
        picture = Image.fromarray(np.full((20, 40, 3), 100, np.uint8)).convert(mode)
        picture.save(self.root / "JPEGImages" / f"{name}.jpg")
        nodes = "".join(self._object(*thing) for thing in things)
        named = f"{name}.jpg" if filename is None else filename
        self.annotate(name, f"<annotation><filename>{named}</filename>{nodes}</annotation>")

    @staticmethod
    def _object(name: str, box: Box, difficult: int = 0) -> str:
        sides = "".join(f"<{side}>{value}</{side}>" for side, value in zip(SIDES, box, strict=True))
        return f"<object><name>{name}</name><difficult>{difficult}</difficult><bndbox>{sides}</bndbox></object>"

    def annotate(self, name: str, text: str) -> None:
        (self.root / "Annotations" / f"{name}.xml").write_text(text)

    def split(self, name: str, *lines: str) -> None:
        (self.root / "ImageSets" / "Main" / f"{name}.txt").write_text("\n".join(lines) + "\n")


SIDES = ("xmin", "ymin", "xmax", "ymax")


@pytest.fixture
def voc(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path / "pets")
    folder.add("a", [("dog", (1, 1, 40, 20)), ("cat", (11, 6, 30, 15))])
    folder.add("b", [("cat", (1, 1, 20, 10))])
    folder.add("c", [("emu", (21, 11, 40, 20))])
    folder.split("train", "a", "b")
    folder.split("val", "c")
    return folder


def read(voc: Folder, **parameters: object) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """The tensors of train and val at 20x40, where a pixel of the file is a pixel of the input."""
    data = voc_boxes("pets", str(voc.root), size=(20, 40), augment=False, **parameters)  # type: ignore[arg-type]
    return data.splits["train"].tensors, data.splits["val"].tensors


def test_boxes_count_from_one_and_classes_are_found(voc: Folder) -> None:
    data = voc_boxes("pets", str(voc.root), size=(40, 40))
    assert data.assets["classes"] == ["cat", "dog", "emu"]
    assert data.facts == {"num_classes": 3, "input_size": [40, 40]}
    train, val = read(voc)
    assert train["boxes"].tolist() == [[[0, 0, 40, 20], [10, 5, 30, 15]], [[0, 0, 20, 10], [0, 0, 0, 0]]]
    assert train["labels"].tolist() == [[1, 0], [0, -1]]
    assert val["boxes"].tolist() == [[[20, 10, 40, 20]]]
    assert data.splits["val"].tensors["boxes"].tolist() == [[[20, 20, 40, 40]]]
    assert train["input"].shape == (2, 3, 20, 40)


def test_training_samples_are_augmented_anew(voc: Folder) -> None:
    train = voc_boxes("pets", str(voc.root), size=(24, 32)).splits["train"]
    torch.manual_seed(0)
    seen = [train[0] for _ in range(10)]
    assert all(sample["input"].shape == (3, 24, 32) for sample in seen)
    assert len({tuple(sample["boxes"].flatten().tolist()) for sample in seen}) > 5
    torch.manual_seed(0)
    assert torch.equal(train[0]["input"], seen[0]["input"])


def test_chosen_classes_keep_their_order_and_leave_others_out(voc: Folder) -> None:
    train, val = read(voc, classes=["emu", "cat"])
    assert train["labels"].tolist() == [[1], [1]]
    assert val["labels"].tolist() == [[0]]
    with pytest.raises(InputError, match=r"no object in .* is of class `cow`") as error:
        read(voc, classes=["cow"])
    assert "cat, dog, emu" in error.value.help


def test_what_has_no_area_or_is_difficult_is_left_out_and_the_rest_is_cut_at_the_edge(voc: Folder) -> None:
    voc.add(
        "b",
        [
            ("cat", (5, 5, 4, 9)),
            ("cat", (50, 5, 60, 9)),
            ("cat", (30, 5, 20, 9)),
            ("cat", (1, 1, 20, 10), 1),
            ("dog", (-5, 0, 45.5, 10)),
        ],
    )
    train, _ = read(voc)
    assert train["boxes"][1].tolist() == [[0, 0, 40, 10], [0, 0, 0, 0]]
    assert train["labels"][1].tolist() == [1, -1]


def test_a_picture_without_objects_stays(voc: Folder) -> None:
    voc.add("b")
    voc.add("c")
    train, val = read(voc)
    assert train["labels"].tolist() == [[1, 0], [-1, -1]]
    assert val["labels"].shape == (1, 0)
    sample = voc_boxes("pets", str(voc.root), size=(20, 40)).splits["train"][1]
    assert sample["boxes"].shape == (0, 4)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_grey_and_cmyk_pictures_become_rgb(voc: Folder, mode: str) -> None:
    voc.add("b", [("cat", (1, 1, 20, 10))], mode=mode)
    train, _ = read(voc)
    assert train["input"].shape == (2, 3, 20, 40)
    assert (train["input"][1].int() - 100).abs().max() < 12


def test_a_picture_that_lies_on_its_side_is_turned_upright(voc: Folder) -> None:
    """Boxes are those of the upright picture, 20 wide and 40 high: EXIF's orientation 6."""
    voc.add("c", [("emu", (1, 1, 10, 40))])
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 20)).save(voc.root / "JPEGImages" / "c.jpg", exif=exif)
    data = voc_boxes("pets", str(voc.root), size=(40, 20))
    assert data.splits["val"].tensors["boxes"].tolist() == [[[0, 0, 10, 40]]]


@pytest.mark.parametrize("filename", ["", "c", "elsewhere/c.jpg", "../../c.jpg", "none.jpg"])
def test_the_picture_is_found_by_the_xmls_file_name_or_its_own(voc: Folder, filename: str) -> None:
    voc.add("c", [("emu", (21, 11, 40, 20))], filename=filename)
    assert len(read(voc)[1]["input"]) == 1


def test_lines_may_carry_a_flag_and_carriage_returns(voc: Folder) -> None:
    (voc.root / "ImageSets" / "Main" / "train.txt").write_bytes(b"a  1\r\nb -1\r\n\r\n")
    assert len(read(voc)[0]["input"]) == 2


def test_a_test_split_is_offered_where_there_is_one(voc: Folder) -> None:
    voc.split("test", "b")
    assert list(voc_boxes("pets", str(voc.root)).splits) == ["train", "val", "test"]


def test_pictures_too_many_for_the_memory_are_read_when_asked_for(voc: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = read(voc)
    monkeypatch.setattr(boxed_pictures, "MEMORY", 0)
    data = voc_boxes("pets", str(voc.root), size=(20, 40), augment=False)
    for split, tensors in zip(("train", "val"), kept, strict=True):
        found = data.splits[split]
        assert found.pictures is None
        assert all(torch.equal(found[index]["input"], tensors["input"][index]) for index in range(len(found)))


def spoilt(change: Callable[[Folder], object], message: str, id: str) -> object:
    return pytest.param(change, message, id=id)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        spoilt(lambda voc: voc.split("train"), r"train\.txt names no picture", "empty split"),
        spoilt(lambda voc: voc.split("train", "a", "zebra"), r"no annotation .*zebra\.xml", "no annotation"),
        spoilt(lambda voc: voc.annotate("b", "<annotation><object>"), r"b\.xml is not well-formed", "cut XML"),
        spoilt(lambda voc: voc.annotate("b", ""), r"b\.xml is not well-formed", "empty XML"),
        spoilt(lambda voc: (voc.root / "JPEGImages" / "b.jpg").unlink(), r"b\.xml is about.*b\.jpg", "no picture"),
        spoilt(lambda voc: (voc.root / "JPEGImages" / "b.jpg").write_bytes(b"x"), r"b\.jpg cannot be", "no JPEG"),
        spoilt(lambda voc: voc.add("b", [("cat", (1, "x", 3, 4))]), r"b\.xml: `ymin` .* `x`", "no number"),
        spoilt(lambda voc: voc.add("b", [("cat", (1, 1, "nan", 4))]), r"b\.xml: `xmax`", "nan"),
        spoilt(lambda voc: voc.add("b", [("", (1, 1, 3, 4))]), r"b\.xml: an object has no name", "no name"),
        spoilt(lambda voc: [voc.add(name) for name in "abc"], "no annotation in .* has an object", "no objects"),
        spoilt(
            lambda voc: (voc.root / "ImageSets" / "Main" / "val.txt").write_bytes(b"\xff\xfe\x00"),
            r"val\.txt is not text",
            "binary split",
        ),
        spoilt(
            lambda voc: [file.unlink() for file in (voc.root / "ImageSets" / "Main").iterdir()],
            r"neither train\.txt nor val\.txt",
            "no splits",
        ),
    ],
)
def test_a_spoilt_folder_names_the_file(voc: Folder, change: Callable[[Folder], object], message: str) -> None:
    change(voc)
    with pytest.raises(InputError, match=message):
        voc_boxes("pets", str(voc.root))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_no_entity_is_expanded_or_fetched(tmp_path: Path, encoding: str) -> None:
    """A document type is where entities are declared, inside or outside the file: it is refused in any encoding."""
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    file = tmp_path / "evil.xml"
    file.write_text(
        f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE a [<!ENTITY e SYSTEM "{secret.as_uri()}">]><a>&e;</a>',
        encoding=encoding,
    )
    with pytest.raises(InputError, match=r"evil\.xml declares a document type"):
        parse_xml(file)


def test_a_missing_folder_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    monkeypatch.setenv("ZOO_DATA", str(tmp_path))
    with pytest.raises(InputError) as error:
        voc_boxes("bccd")
    assert "$ZOO_DATA/bccd" in error.value.help
    assert "BCCD_Dataset" in error.value.help


@pytest.mark.parametrize("folder", ["../pets", "/pets", "a/../../pets"])
def test_the_folder_is_no_way_out_of_the_data_root(folder: str) -> None:
    with pytest.raises(InputError, match="is no name of a folder"):
        voc_boxes(folder)


@pytest.mark.parametrize(
    ("name", "sizes", "classes"),
    [("bccd", (205, 87), ["Platelets", "RBC", "WBC"]), ("raccoon", (160, 40), ["raccoon"])],
)
def test_real_folders(name: str, sizes: tuple[int, int], classes: list[str]) -> None:
    if not (Path(os.environ.get("ZOO_DATA", "")) / name / "Annotations").is_dir():
        pytest.skip(f"$ZOO_DATA names no folder with {name}")
    data = voc_boxes(name, size=(64, 64))
    train, val = data.splits["train"], data.splits["val"]
    assert (len(train), len(val)) == sizes
    assert data.assets["classes"] == classes
    labels, boxes = val.tensors["labels"], val.tensors["boxes"]
    assert set(labels.flatten().tolist()) - {-1} == set(range(len(classes)))
    assert (boxes[labels >= 0][:, :2] < boxes[labels >= 0][:, 2:]).all()
    assert boxes.min() >= 0
    assert boxes.max() <= 64
    assert train[0]["input"].shape == (3, 64, 64)


def test_training_pictures_keep_detail_for_crops_and_are_scored_plain(voc: Folder) -> None:
    """They are kept at twice the size that is trained on; cross-validation scores them at it, unchanged."""
    train = voc_boxes("pets", str(voc.root), size=(20, 40)).splits["train"]
    assert train.pictures[0].shape == (3, 40, 80)
    assert train.plain[0]["input"].shape == (3, 20, 40)
    assert train.plain[0]["boxes"].tolist() == [[0, 0, 40, 20], [10, 5, 30, 15]]
    assert all(torch.equal(train.plain[1]["input"], train.plain[1]["input"]) for _ in range(3))


def test_pictures_that_fit_are_decoded_once(voc: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    train = voc_boxes("pets", str(voc.root), size=(20, 40)).splits["train"]
    monkeypatch.setattr(boxed_pictures, "read_picture", None)
    assert train[0]["input"].shape == (3, 20, 40)


def test_classes_are_in_the_order_of_the_alphabet(voc: Folder) -> None:
    """Of many, since a set of few may happen to be in order."""
    names = [f"kind {number:02d}" for number in range(30)]
    voc.add("a", [(name, (1, 1, 40, 20)) for name in reversed(names)])
    assert voc_boxes("pets", str(voc.root)).assets["classes"] == ["cat", "emu", *names]
