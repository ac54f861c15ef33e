"""Crops of pictures and their masks: cut, scaled and mirrored together, drawn for every picture."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference.masks import cropped
from zoo_vision.augment import color
from zoo_vision.segmentation.crops import GREY, Change, RandomCrop
from zoo_vision.segmentation.masks import VOID


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


@settings(max_examples=15, deadline=None)
@given(
    sides=st.tuples(st.integers(4, 9), st.integers(4, 9)),
    size=st.tuples(st.integers(4, 9), st.integers(4, 9)),
    changes=st.sets(st.sampled_from(["scale", "flip"])),
    seed=st.integers(0, 999),
)
def test_crops_against_each_pixel(
    sides: tuple[int, int], size: tuple[int, int], changes: set[Change], seed: int
) -> None:
    """Noise and any classes; scales from a half to twice, evenly by their logarithm, a draw of its own for each."""
    random = torch.Generator().manual_seed(seed)
    pictures = torch.randint(0, 256, (3, 3, *sides), generator=random, dtype=torch.uint8)
    classes = torch.randint(0, 9, (3, *sides), generator=random, dtype=torch.uint8)
    batch = RandomCrop(size, sorted(changes))({"input": pictures, "mask": classes}, random.manual_seed(seed))
    random.manual_seed(seed)
    draws = [2 * torch.rand(3, generator=random) - 1 for _ in range(4)]
    scale = 2 ** draws[0] if "scale" in changes else torch.ones(3)
    for number in range(3):
        enlarged = [side * float(scale[number]) for side in sides]
        place = [
            float(draw[number]) * (1 if whole >= own else -1)
            for draw, whole, own in zip(draws[1:3], enlarged, size, strict=True)
        ]
        mirrored = "flip" in changes and float(draws[3][number]) < 0
        pixels, mask = cropped(
            pictures[number], classes[number], size, float(scale[number]), (place[0], place[1]), mirrored, (128, VOID)
        )
        assert (batch["input"][number] - pixels).abs().max() <= 0.52
        assert (batch["mask"][number] != mask).float().mean() < 0.03  # halfway between two pixels


def test_colours_of_a_crop_change_and_its_mask_does_not() -> None:
    """As `color` would change the crop, with the draws that follow."""
    random = torch.Generator().manual_seed(3)
    pictures = torch.randint(0, 256, (4, 3, 9, 9), generator=random, dtype=torch.uint8)
    batch = {"input": pictures, "mask": torch.randint(0, 3, (4, 9, 9), generator=random, dtype=torch.uint8), "id": 1}
    coloured = RandomCrop((5, 5), ["flip", "color"])(batch, random.manual_seed(8))
    plain = RandomCrop((5, 5), ["flip"])(batch, random.manual_seed(8))
    assert torch.equal(coloured["mask"], plain["mask"]) and coloured["id"] == 1
    assert torch.equal(coloured["input"], color(plain["input"], random))
    assert not torch.equal(coloured["input"], plain["input"])


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
