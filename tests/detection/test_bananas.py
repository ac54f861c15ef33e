"""The data set `bananas`, on a small archive in the layout of the book's."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pooch
import pytest
import torch
from PIL import Image

from zoo import InputError
from zoo_detection import bananas as module
from zoo_detection.bananas import bananas

HEADER = "img_name,label,xmin,ymin,xmax,ymax"
BOXES = {"train": [(104, 20, 143, 58), (68, 175, 118, 223), (0, 1, 256, 255)], "val": [(1, 2, 30, 40)]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "unpacked" / "banana-detection"
    for split, boxes in BOXES.items():
        own = root / f"bananas_{split}"
        (own / "images").mkdir(parents=True)
        rows = [HEADER]
        for number, box in enumerate(boxes):
            Image.fromarray(np.full((256, 256, 3), 10 * number, np.uint8)).save(own / "images" / f"{number}.png")
            rows.append(",".join(map(str, (f"{number}.png", 0, *box))))
        (own / "label.csv").write_text("\n".join(rows) + "\n")
    return root


@pytest.fixture
def served(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The archive instead of the book's bucket: `retrieve` hands it over after the check of its hash."""
    archive = Path(shutil.make_archive(str(tmp_path / "banana-detection"), "zip", folder.parent))

    def retrieve(url: str, known_hash: str, fname: str, path: Path) -> str:
        assert (url, known_hash) == (module.URL, module.HASH)
        return str(archive)

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("ZOO_DATA", raising=False)
    yield archive


def test_fetched_unpacked_and_read(served: Path) -> None:
    data = bananas()
    train, val = data.splits["train"], data.splits["val"]
    assert (len(train), len(val)) == (3, 1)
    assert train.tensors["input"].shape == (3, 3, 256, 256)
    assert train.tensors["input"][:, 0, 0, 0].tolist() == [0, 10, 20]
    for split, boxes in BOXES.items():
        assert data.splits[split].tensors["boxes"].tolist() == [[[float(side) for side in box]] for box in boxes]
    assert train.tensors["labels"].tolist() == [[0], [0], [0]]
    assert data.facts == {"num_classes": 1, "input_size": [256, 256]}
    assert data.assets["classes"] == ["banana"]
    assert train.transform is not None and not train.transform.upside_down  # bananas lie as they are photographed
    assert val.transform is None
    served.unlink()
    assert torch.equal(bananas().splits["val"].tensors["boxes"], val.tensors["boxes"])  # from the cache


@pytest.mark.parametrize("levels", [0, 1])
def test_root_is_the_folder_with_or_without_the_archives_own(folder: Path, levels: int) -> None:
    root = [folder, folder.parent][levels]
    assert len(bananas(root=str(root)).splits["train"]) == 3


def test_another_archive_is_refused(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stated hash is what pooch checks: only its downloader is replaced, by a copy of other bytes."""
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("ZOO_DATA", raising=False)
    archive = Path(shutil.make_archive(str(tmp_path / "banana-detection"), "zip", folder.parent))
    right = "sha1:" + hashlib.sha1(archive.read_bytes()).hexdigest()

    def copy(source: str, output: str, registry: object) -> None:
        shutil.copyfile(archive, output)

    monkeypatch.setattr(pooch.core, "choose_downloader", lambda *arguments, **options: copy)
    with pytest.raises(InputError, match="is not the file it should be"):
        bananas()
    monkeypatch.setattr(module, "HASH", right)
    assert len(bananas().splits["val"]) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "names no picture"),
        (HEADER + "\n", "names no picture"),
        ("img_name,label\n0.png,0\n", "is not a table"),
        (HEADER + "\n0.png,0,1,2,three,4\n", "is not a table"),
        (HEADER + "\n0.png,0,1\n", "is not a table"),
        (HEADER + "\nmissing.png,0,1,2,3,4\n", "missing.png"),
    ],
)
def test_a_wrong_table_is_named(folder: Path, text: str, message: str) -> None:
    (folder / "bananas_val" / "label.csv").write_text(text)
    with pytest.raises(InputError, match=message) as error:
        bananas(root=str(folder))
    assert "bananas_val" in error.value.message


def test_a_folder_without_a_table(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no .*label\.csv"):
        bananas(root=str(tmp_path))
