"""Folders and CSV files of pictures: every bad input is an error that names it, before anything is trained."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.preprocessing import LabelEncoder

from tests.conftest import Command
from tests.vision.leaves import CLASSES, SIZE, paint, read, write
from zoo import InputError
from zoo_vision import picture_files
from zoo_vision.picture_csv import picture_csv
from zoo_vision.picture_folder import picture_folder


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path_factory.mktemp("cache")))


# What is read


def test_labels_are_sorted_and_every_class_is_held_out(leaves: Path) -> None:
    data = read(leaves)
    assert data.assets["classes"] == list(CLASSES)
    assert torch.bincount(data.splits["train"].tensors["label"]).tolist() == [8, 8, 8]
    assert torch.bincount(data.splits["val"].tensors["label"]).tolist() == [2, 2, 2]
    assert "label" not in data.splits["test"].tensors
    assert data.splits["test"].names == [f"images/{number}.png" for number in range(30, 35)]
    assert data.submission == str(leaves / "sample_submission.csv")


def test_a_picture_is_with_its_label(leaves: Path) -> None:
    split = read(leaves).splits["train"]
    for name, picture, label in zip(split.names, split.tensors["input"], split.tensors["label"], strict=True):
        number = int(Path(name).stem)
        assert int(label) == number % 3
        with Image.open(leaves / name) as opened:
            expected = np.array(opened.resize(SIZE, Image.Resampling.BILINEAR))
        assert np.array_equal(picture.permute(1, 2, 0).numpy(), expected)


def test_classes_are_places_in_the_sorted_set_of_labels(leaves: Path) -> None:
    """Against scikit-learn's, from a file whose first label is the last class; with a byte order mark, as Excel's."""
    labels = ["oak", "elm", "ash", "elm", "oak", "ash"]
    rows = [f"images/{number}.png,{label}" for number, label in enumerate(labels)]
    (leaves / "train.csv").write_text("\n".join(["image,label", *rows]), encoding="utf-8-sig")
    split = read(leaves, val_size=0.0).splits["train"]
    assert split.tensors["label"].tolist() == LabelEncoder().fit_transform(labels).tolist() == [2, 1, 0, 1, 2, 0]


def test_a_test_file_with_labels_can_be_scored(leaves: Path) -> None:
    write(leaves / "test.csv", "image,label", ["images/31.png,oak", "images/30.png,ash"])
    split = read(leaves).splits["test"]
    assert split.tensors["label"].tolist() == [2, 0] and split.names == ["images/31.png", "images/30.png"]


def test_pictures_are_scaled_as_imagenet_s(leaves: Path) -> None:
    """Mean and deviation are torchvision's for its pretrained weights."""
    from torchvision.models import ResNet18_Weights

    theirs = ResNet18_Weights.DEFAULT.transforms()
    preprocess = read(leaves).assets["preprocess"]
    assert preprocess == {"size": list(SIZE), "mean": theirs.mean, "std": theirs.std}


def test_two_sizes_are_cached_apart(leaves: Path) -> None:
    for size in ((16, 16), (8, 24), (16, 16)):
        data = picture_csv("leaves", str(leaves), size=size)
        assert data.splits["val"].tensors["input"].shape == (6, 3, *size)
        assert data.facts["input_size"] == list(size) and data.facts["num_inputs"] == 3 * size[0] * size[1]


def test_decoded_pictures_are_cached_until_a_file_changes(leaves: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also to another of the same size in bytes."""
    file = leaves / "images/0.png"
    pixels = np.array(Image.open(file))
    Image.fromarray(pixels).save(file, compress_level=0)
    size = file.stat().st_size
    before = read(leaves, val_size=0.0).splits["train"].tensors["input"]
    with monkeypatch.context() as patch:
        patch.setattr(picture_files, "_read", lambda *_: pytest.fail("read again"))
        assert torch.equal(read(leaves, val_size=0.0).splits["train"].tensors["input"], before)
    Image.fromarray(255 - pixels).save(file, compress_level=0)
    assert file.stat().st_size == size
    after = read(leaves, val_size=0.0).splits["train"].tensors["input"]
    assert not torch.equal(after[0], before[0]) and torch.equal(after[1:], before[1:])


@pytest.mark.parametrize(
    ("mode", "ending"), [("L", "png"), ("P", "gif"), ("RGBA", "png"), ("1", "png"), ("CMYK", "jpg")]
)
def test_pictures_of_every_kind_become_rgb(leaves: Path, mode: str, ending: str) -> None:
    paint(leaves / f"images/odd.{ending}", 3, mode)
    paint(leaves / "images/point.png", 3, side=1)
    with (leaves / "train.csv").open("a") as file:
        file.write(f"images/odd.{ending},ash\nimages/point.png,oak\n")
    assert len(read(leaves, val_size=0.0).splits["train"]) == 32


def test_a_folder_for_each_class(tmp_path: Path) -> None:
    for number in range(12):
        paint(tmp_path / CLASSES[number % 3] / f"{number}.png", number)
    (tmp_path / "ash" / "notes.txt").write_text("no picture")
    data = picture_folder("leaves", str(tmp_path), size=SIZE, val_size=0.25)
    assert data.assets["classes"] == list(CLASSES)
    assert [len(data.splits[name]) for name in ("train", "val")] == [9, 3]


def test_the_root_alone_names_a_folder_and_so_does_a_name_under_zoo_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        paint(tmp_path / "mine" / CLASSES[number % 2] / f"{number}.png", number)
    write(tmp_path / "mine" / "train.csv", "image,label", [f"{CLASSES[n % 2]}/{n}.png,{n % 2}" for n in range(6)])
    monkeypatch.setenv("ZOO_DATA", str(tmp_path))
    for dataset in (picture_folder, picture_csv):
        for form in ({"root": str(tmp_path / "mine")}, {"folder": "mine"}):
            data = dataset(**form, size=SIZE)
            assert {name: len(split) for name, split in data.splits.items()} == {"train": 4, "val": 2}
        with pytest.raises(InputError, match="data set `pictures` is not at hand") as error:
            dataset(size=SIZE)
        assert "name it as `root`" in error.value.help


def test_endings_in_capitals_and_inner_folders_count_and_hidden_files_do_not(tmp_path: Path) -> None:
    """Hidden are a notebook's checkpoints and what a Mac notes of each file."""
    for number in range(4):
        paint(tmp_path / CLASSES[number % 2] / f"{number}.png", number)
    paint(tmp_path / "ash" / "2024" / "5.png", 5)
    (tmp_path / "birch" / "1.png").rename(tmp_path / "birch" / "1.PNG")
    (tmp_path / "ash" / "._0.png").write_text("no picture")
    for folder in (tmp_path, tmp_path / "ash"):
        paint(folder / ".ipynb_checkpoints" / "0.png", 0)
    data = picture_folder(root=str(tmp_path), size=SIZE, val_size=0.0)
    assert data.splits["train"].names == ["ash/0.png", "ash/2.png", "ash/2024/5.png", "birch/1.PNG", "birch/3.png"]
    assert data.splits["train"].tensors["label"].tolist() == [0, 0, 0, 1, 1]


def test_folders_for_each_split(tmp_path: Path) -> None:
    for number in range(12):
        paint(tmp_path / ("train", "val")[number % 2] / CLASSES[number % 3] / f"{number}.png", number)
    data = picture_folder("leaves", str(tmp_path), size=SIZE)
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 6, "val": 6}
    assert data.splits["val"].names == [f"{CLASSES[n % 3]}/{n}.png" for n in (3, 9, 1, 7, 11, 5)]
    assert data.splits["val"].tensors["label"].tolist() == [0, 0, 1, 1, 2, 2]
    assert data.splits["train"].transform and not data.splits["val"].transform
    paint(tmp_path / "val" / "elm" / "1.png", 1)
    with pytest.raises(InputError, match="`elm`"):
        picture_folder("leaves", str(tmp_path), size=SIZE)


# What is refused


def replaced(leaves: Path, old: str, new: str, file: str = "train.csv") -> None:
    text = (leaves / file).read_text()
    assert old in text
    (leaves / file).write_text(text.replace(old, new))


BROKEN = {
    "a missing picture": (lambda leaves: (leaves / "images/7.png").unlink(), r"1 of 30 .* missing .*images/7\.png"),
    "no picture": (lambda leaves: (leaves / "images/7.png").write_text("text"), r"images/7\.png"),
    "a picture cut short": (
        lambda leaves: (leaves / "images/7.png").write_bytes((leaves / "images/7.png").read_bytes()[:90]),
        r"images/7\.png",
    ),
    "an empty label": (lambda leaves: replaced(leaves, "images/3.png,ash", "images/3.png,"), r"train\.csv:5: `label`"),
    "a column of another name": (lambda leaves: replaced(leaves, "label", "species"), "no column `label`"),
    "a picture twice": (lambda leaves: replaced(leaves, "images/3.png", "images/2.png"), "in line 4 already"),
    "no rows": (lambda leaves: (leaves / "train.csv").write_text("image,label\n"), "names no picture"),
    "no CSV": (lambda leaves: (leaves / "train.csv").write_bytes(b"\xff\xfe\0\0"), "is no CSV file"),
    "no file": (lambda leaves: (leaves / "train.csv").unlink(), r"there is no .*train\.csv"),
    "a class with one picture": (lambda leaves: replaced(leaves, "3.png,ash", "3.png,elm"), "`elm` has a single"),
    "a test label that training never saw": (
        lambda leaves: write(leaves / "test.csv", "image,label", ["images/30.png,ash", "images/31.png,yew"]),
        r"test\.csv:3: .*`yew`",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_bad_input_is_named(leaves: Path, name: str) -> None:
    damage, message = BROKEN[name]
    damage(leaves)
    with pytest.raises(InputError, match=message):
        read(leaves)


def test_of_many_bad_files_the_first_five_are_named(leaves: Path) -> None:
    for number in range(7):
        (leaves / f"images/{number}.png").write_text("text")
    with pytest.raises(InputError, match=r"images/0\.png.*images/4\.png[^;]*; and 2 more"):
        read(leaves)
    for number in range(7):
        (leaves / f"images/{number}.png").unlink()
    with pytest.raises(InputError, match=r"7 of 30 pictures are missing in .*images/0\.png, .*images/4\.png \.\.\."):
        read(leaves)


def test_an_empty_class_folder_is_named(tmp_path: Path) -> None:
    paint(tmp_path / "ash" / "1.png", 1)
    (tmp_path / "oak").mkdir()
    with pytest.raises(InputError, match="oak holds no picture"):
        picture_folder("leaves", str(tmp_path), size=SIZE)
    with pytest.raises(InputError, match="has no folders"):
        picture_folder("leaves", str(tmp_path / "oak"), size=SIZE)


def test_a_single_class_is_a_folder_too_high(tmp_path: Path) -> None:
    for number in range(4):
        paint(tmp_path / "pictures" / CLASSES[number % 2] / f"{number}.png", number)
    with pytest.raises(InputError, match="one folder of pictures, `pictures`") as error:
        picture_folder(root=str(tmp_path), size=SIZE)
    assert error.value.help.endswith(f'root = "{tmp_path / "pictures"}"')


def test_a_size_that_no_memory_holds_is_refused_by_check(tmp_path: Path, zoo: Command) -> None:
    """At its value in the recipe, before any file is looked for."""
    recipe = 'extends = "{parent}"\n[dataset]\n{key} = {value}\n'
    for parent, key in (("leaves_resnet", "size"), ("digits", "size"), ("lenet", "size"), ("fcn_camvid", "crop")):
        for value, allowed in (("[4096, 4096]", True), ("[4097, 64]", False), ("[64, 0]", False)):
            (tmp_path / "r.toml").write_text(recipe.format(parent=parent, key=key, value=value))
            finished = zoo("check", tmp_path / "r.toml")
            assert finished.status == (0 if allowed else 2), (parent, value, finished)
            assert allowed or re.search(rf"`{key}(\[\d\])?` of dataset", finished.stderr)
