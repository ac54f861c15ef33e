"""The data set `scenes`: masks, boxes and labels agree, val is held out, and the same seed gives the same bytes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import PIL
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from zoo import Data
from zoo_detection.scenes import CLASSES, MOST_OBJECTS, PHOTOGRAPHS, draw_scenes, scenes

SIZE = 96

# Of the first four pictures of train at 64x64, seed 0.
LABELS = [[1, 1, -1, -1], [1, -1, -1, -1], [2, -1, -1, -1], [2, 1, 1, -1]]
BOXES = [
    [[20, 5, 42, 29], [13, 29, 29, 43], [0, 0, 0, 0], [0, 0, 0, 0]],
    [[9, 39, 26, 60], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]],
    [[22, 36, 41, 53], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]],
    [[40, 34, 58, 51], [11, 23, 31, 43], [11, 37, 25, 52], [0, 0, 0, 0]],
]


@pytest.fixture(scope="module")
def drawn() -> dict[str, torch.Tensor]:
    return draw_scenes(0, "train", 60, SIZE)


def test_shapes_and_types(drawn: dict[str, torch.Tensor]) -> None:
    found = {name: (tuple(tensor.shape[1:]), tensor.dtype) for name, tensor in drawn.items()}
    assert found == {
        "input": ((3, SIZE, SIZE), torch.uint8),
        "boxes": ((MOST_OBJECTS, 4), torch.float32),
        "labels": ((MOST_OBJECTS,), torch.int64),
        "mask": ((SIZE, SIZE), torch.uint8),
    }


def test_boxes_are_tight_around_what_the_mask_shows(drawn: dict[str, torch.Tensor]) -> None:
    """Object by object where a class occurs once; else the union of its boxes spans the class's pixels."""
    for boxes, labels, mask in zip(drawn["boxes"], drawn["labels"], drawn["mask"], strict=True):
        for label in range(len(CLASSES)):
            own = boxes[labels == label]
            rows, columns = torch.nonzero(mask == label + 1, as_tuple=True)
            assert len(own) == 0 if len(rows) == 0 else len(own) > 0
            if len(own):
                spanned = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
                corners = [*own[:, :2].amin(0).tolist(), *own[:, 2:].amax(0).tolist()]
                assert corners == [float(side) for side in spanned]


def test_every_pixel_of_an_object_lies_in_a_box_of_its_class(drawn: dict[str, torch.Tensor]) -> None:
    for boxes, labels, mask in zip(drawn["boxes"], drawn["labels"], drawn["mask"], strict=True):
        for label in range(len(CLASSES)):
            inside = torch.zeros(SIZE, SIZE, dtype=torch.bool)
            for left, top, right, bottom in boxes[labels == label].int().tolist():
                inside[top:bottom, left:right] = True
            assert not ((mask == label + 1) & ~inside).any()


def test_one_to_four_objects_of_all_classes_and_padding_last(drawn: dict[str, torch.Tensor]) -> None:
    real = drawn["labels"] >= 0
    assert set(real.sum(1).tolist()) == {1, 2, 3, 4}
    assert (real.int().diff(dim=1) <= 0).all()
    assert not drawn["boxes"][~real].any()
    assert set(drawn["labels"][real].tolist()) == {0, 1, 2}
    sides = drawn["boxes"][real][:, 2:] - drawn["boxes"][real][:, :2]
    assert sides.min() > 0.05 * SIZE
    assert sides.max() < 0.7 * SIZE


def test_some_objects_are_partly_hidden_and_none_too_far() -> None:
    """The same things on an empty picture show how much there would be to see."""
    from zoo_detection import scenes as module

    shares = []
    place = module.Scene.place
    placed: list[module.Scene] = []

    def remember(scene: module.Scene, *arguments: object) -> bool:
        placed.append(scene)
        return place(scene, *arguments)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module.Scene, "place", remember)
        draw_scenes(0, "train", 30, SIZE)
    for scene in {id(scene): scene for scene in placed}.values():
        for number in scene.labels:
            shares.append((scene.owner == number).sum() / scene.areas[number])
    assert min(shares) >= 0.6
    assert sum(share < 0.9 for share in shares) > len(shares) / 10


def test_val_is_drawn_on_photographs_that_train_never_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the names that are opened, and no photograph is the other half of a stereo pair."""
    opened: dict[str, set[str]] = {"train": set(), "val": set()}
    for split, names in opened.items():

        def remember(name: str, names: set[str] = names) -> Image.Image:
            names.add(name)
            return Image.new("RGB", (64, 64))

        monkeypatch.setattr("zoo_detection.scenes._photograph", remember)
        draw_scenes(0, split, 1, 16)
    assert opened == {split: set(names) for split, names in PHOTOGRAPHS.items()}
    assert not opened["train"] & opened["val"]
    stems = [{name.split("_")[0].split(".")[0] for name in PHOTOGRAPHS[split]} for split in ("train", "val")]
    assert not stems[0] & stems[1]


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10**9), st.sampled_from(["train", "val"]))
def test_a_picture_follows_from_seed_split_and_index(seed: int, split: str) -> None:
    """Drawing fewer pictures gives the same first ones; another seed or split gives others."""
    three, two = draw_scenes(seed, split, 3, 32), draw_scenes(seed, split, 2, 32)
    assert all(torch.equal(three[name][:2], two[name]) for name in three)
    other = draw_scenes(seed, "val" if split == "train" else "train", 2, 32)
    assert not torch.equal(two["boxes"], other["boxes"])
    assert not torch.equal(two["input"], draw_scenes(seed + 1, split, 2, 32)["input"])


def test_the_same_bytes_everywhere() -> None:
    """A change to the drawing shows here; then `VERSION` needs a new number, or caches would keep old pictures.

    Pillow paints, blurs and decodes: its own versions may differ in a bit, the boxes by a pixel at most.
    """
    drawn = draw_scenes(0, "train", 4, 64)
    assert drawn["labels"].tolist() == LABELS
    torch.testing.assert_close(drawn["boxes"], torch.tensor(BOXES, dtype=torch.float32), atol=1, rtol=0)
    if PIL.__version__.split(".")[0] == "13":
        digest = hashlib.sha256(b"".join(drawn[name].numpy().tobytes() for name in sorted(drawn))).hexdigest()
        assert digest[:16] == "b469f8d1deebd644"


def test_the_component_is_cached_and_knows_its_facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    first = scenes(train_size=6, val_size=3, size=64)
    with monkeypatch.context() as patch:
        patch.setattr("zoo_detection.scenes.draw_scenes", None)
        again = scenes(train_size=6, val_size=3, size=64)
    other = scenes(seed=1, train_size=6, val_size=3, size=64)
    assert torch.equal(inputs(first), inputs(again))
    assert not torch.equal(inputs(first), inputs(other))
    assert [len(first.splits[split]) for split in ("train", "val")] == [6, 3]
    assert first.facts == {"num_classes": 3, "num_mask_classes": 4, "input_size": [64, 64]}
    assert first.assets["classes"] == CLASSES
    assert first.assets["mask_classes"] == ["background", *CLASSES]
    assert first.assets["preprocess"]["size"] == [64, 64]
    assert first.splits["train"].transform is not None
    assert first.splits["val"].transform is None


def inputs(data: Data) -> torch.Tensor:
    tensor: torch.Tensor = data.splits["train"].tensors["input"]
    return tensor


def test_the_component_draws_what_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each split by its name, seed, number and size, and from the cache only what was drawn so."""
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    for seed, size in ((0, 32), (3, 32), (3, 48)):
        data = scenes(seed=seed, train_size=2, val_size=2, size=size)
        for split in ("train", "val"):
            drawn = draw_scenes(seed, split, 2, size)
            assert all(torch.equal(data.splits[split].tensors[name], drawn[name]) for name in drawn)


def test_training_pictures_are_turned_any_way_and_zoomed_where_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One box, low in its picture and of 20 pixels: mirrored it is high, zoomed it has other sides."""
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    boxes, labels = torch.tensor([[20.0, 40.0, 40.0, 60.0]]).expand(80, 1, 4), torch.zeros(80, 1, dtype=torch.int64)
    batch = {"input": torch.zeros(80, 3, 64, 64, dtype=torch.uint8), "boxes": boxes, "labels": labels}
    for zoom in (1.0, 1.5):
        transform = scenes(train_size=1, val_size=1, size=64, zoom=zoom).splits["train"].transform
        changed = transform(batch, torch.Generator().manual_seed(0))["boxes"][:, 0]
        tops, widths = changed[:, 1], changed[:, 2] - changed[:, 0]
        assert tops.unique().tolist() == [4, 40] if zoom == 1 else 20 < int((tops < 30).sum()) < 70
        assert len(widths.unique()) == 1 if zoom == 1 else len(widths.unique()) > 40
