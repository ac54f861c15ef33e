"""Augmentation: the batch's against a loop over pictures and pixels, the sample's by what must hold of it."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision import tv_tensors

from tests.reference.augment import mirrored, mirrored_box, recoloured_pixel
from zoo import Batch
from zoo_detection import augment
from zoo_detection.augment import BatchAugment, SampleAugment


def make_batch(count: int, height: int, width: int, seed: int) -> Batch:
    """Random pictures and masks; the first object of each has a label, the second is padding."""
    draws = torch.Generator().manual_seed(seed)
    corners = torch.rand(count, 2, 2, 2, generator=draws).sort(dim=2).values * torch.tensor([width, height])
    labels = torch.tensor([0, -1]).repeat(count, 1)
    return {
        "input": torch.randint(0, 256, (count, 3, height, width), generator=draws, dtype=torch.uint8),
        "boxes": corners.flatten(2) * (labels >= 0)[..., None],
        "labels": labels,
        "mask": torch.randint(0, 4, (count, height, width), generator=draws, dtype=torch.uint8),
    }


batches = st.builds(make_batch, st.integers(1, 10), st.integers(1, 6), st.integers(1, 6), st.integers(0, 999))


@settings(max_examples=40, deadline=None)
@given(batches, st.data())
def test_mirrored_is_what_a_loop_makes(batch: Batch, data: st.DataObject) -> None:
    """Pictures, masks and boxes turn together, each sample by its own choice; padding stays 0."""
    count, _, height, width = batch["input"].shape
    choice = st.lists(st.booleans(), min_size=count, max_size=count)
    across, down = data.draw(choice), data.draw(choice)
    chosen = torch.tensor(across), torch.tensor(down)
    boxes = augment._mirrored_boxes(batch, *chosen)
    for name in ("input", "mask"):
        found = augment._mirrored(batch[name], *chosen)
        expected = [mirrored(*sample) for sample in zip(batch[name], across, down, strict=True)]
        assert torch.equal(found, torch.stack(expected))
    for index in range(count):
        expected_box = mirrored_box(batch["boxes"][index, 0].tolist(), width, height, across[index], down[index])
        torch.testing.assert_close(boxes[index, 0], torch.tensor(expected_box))
        assert not boxes[index, 1].any()


@settings(max_examples=60, deadline=None)
@given(batches, st.integers(0, 999))
def test_recoloured_is_what_a_loop_makes(batch: Batch, seed: int) -> None:
    """Equal to the last bit, which also says that no product leaves 16 bits for the draws there are."""
    gain, grey_share, middle = augment._draw_colours(batch, torch.Generator().manual_seed(seed))
    found = augment._recoloured(batch["input"], gain, grey_share, middle)
    for index, picture in enumerate(batch["input"].flatten(2).transpose(1, 2).tolist()):
        numbers = gain[index].flatten().tolist(), int(grey_share[index]), int(middle[index])
        expected = [recoloured_pixel(pixel, *numbers) for pixel in picture]
        assert found[index].flatten(1).T.tolist() == expected


def test_the_widest_gains_fit_into_16_bits() -> None:
    """The extremes that the property test above is unlikely to draw."""
    contrast, saturation, balance = augment.CONTRAST[1], augment.SATURATION, augment.CHANNEL_GAIN[1]
    for share in saturation:
        largest = contrast * share * balance + contrast * abs(1 - share)
        assert 128 * (largest * augment.FRACTION + 1) < 2**15


@settings(max_examples=30, deadline=None)
@given(batches, st.integers(0, 999), st.booleans())
def test_batch_augment_turns_everything_the_same_way(batch: Batch, seed: int, upside_down: bool) -> None:
    """With colours left alone, each sample is one of its mirror images in picture, boxes and mask alike."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(augment, "_draw_colours", neutral_colours)
        result = BatchAugment(upside_down)(batch, torch.Generator().manual_seed(seed))
    _, _, height, width = batch["input"].shape
    for index in range(len(batch["input"])):
        ways = [(across, down) for across in (False, True) for down in ((False, True) if upside_down else (False,))]
        assert any(
            torch.equal(result["input"][index], mirrored(batch["input"][index], *way))
            and torch.equal(result["mask"][index], mirrored(batch["mask"][index], *way))
            and result["boxes"][index, 0].tolist()
            == pytest.approx(mirrored_box(batch["boxes"][index, 0].tolist(), width, height, *way), abs=1e-4)
            for way in ways
        )
    assert torch.equal(result["labels"], batch["labels"])


def neutral_colours(batch: Batch, generator: torch.Generator) -> tuple[torch.Tensor, ...]:
    count = len(batch["input"])
    numbers = (3, augment.FRACTION), (1, 0), (1, 128)
    return tuple(torch.full((count, channels, 1, 1), value, dtype=torch.int16) for channels, value in numbers)


def test_batch_augment_draws_from_its_generator_alone_and_leaves_the_batch_as_it_was() -> None:
    batch = make_batch(20, 8, 8, seed=0)
    before = {name: value.clone() for name, value in batch.items()}
    state = torch.get_rng_state()
    one, same, other = (BatchAugment()(batch, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert all(torch.equal(one[name], same[name]) for name in batch)
    assert not torch.equal(one["input"], other["input"])
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(batch[name], before[name]) for name in batch)
    assert one["input"].dtype == torch.uint8


def test_about_half_are_mirrored() -> None:
    batch = make_batch(400, 1, 2, seed=0)
    batch["mask"] = torch.tensor([[0, 1]], dtype=torch.uint8).expand(400, 1, 2)
    mirrored_ones = BatchAugment()(batch, torch.Generator().manual_seed(0))["mask"][:, 0, 0].sum()
    assert 160 < mirrored_ones < 240


def square_on_black(left: int, top: int, side: int) -> Batch:
    """A white square with its box."""
    picture = torch.zeros(3, 64, 96, dtype=torch.uint8)
    picture[:, top : top + side, left : left + side] = 255
    return {
        "input": picture,
        "boxes": torch.tensor([[left, top, left + side, top + side]], dtype=torch.float32),
        "labels": torch.tensor([2]),
    }


def test_sample_augment_keeps_boxes_around_their_objects() -> None:
    """A white square is brighter than any fill or shade: its box is where the bright pixels are, whatever was drawn."""
    change = SampleAugment((48, 48))
    kept = 0
    for seed in range(40):
        torch.manual_seed(seed)
        result = change(square_on_black(30, 20, 24))
        assert result["input"].shape == (3, 48, 48)
        assert result["input"].dtype == torch.uint8
        assert type(result["boxes"]) is torch.Tensor
        assert len(result["boxes"]) == len(result["labels"])
        for box in result["boxes"].tolist():
            kept += 1
            bright = result["input"].float().mean(0) > 0.75 * result["input"].max()
            rows, columns = bright.any(1).nonzero()[:, 0], bright.any(0).nonzero()[:, 0]
            seen = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
            assert box == pytest.approx([float(side) for side in seen], abs=1.6)
    assert kept > 30


def test_sample_augment_takes_a_picture_without_objects() -> None:
    sample = {
        "input": torch.zeros(3, 64, 96, dtype=torch.uint8),
        "boxes": torch.zeros(0, 4),
        "labels": torch.zeros(0, dtype=torch.int64),
    }
    for seed in range(10):
        torch.manual_seed(seed)
        result = SampleAugment((32, 40))(sample)
        assert result["input"].shape == (3, 32, 40)
        assert result["boxes"].shape == (0, 4)


def test_about_half_are_mirrored_upside_down_where_that_is_asked_for() -> None:
    batch = make_batch(400, 2, 1, seed=0)
    batch["mask"] = torch.tensor([[0], [1]], dtype=torch.uint8).expand(400, 2, 1)
    turned = BatchAugment(upside_down=True)(batch, torch.Generator().manual_seed(0))["mask"][:, 0, 0].sum()
    assert 160 < turned < 240
    assert BatchAugment()(batch, torch.Generator().manual_seed(0))["mask"][:, 0, 0].sum() == 0


def test_colours_are_drawn_from_all_of_their_ranges() -> None:
    """Contrast 0.6 to 1.5, saturation 0.4 to 1.5, brightness 32 up and down, 15% of balance: no more, and no less."""
    batch = make_batch(4000, 1, 1, seed=0)

    def drawn(**alone: tuple[float, float]) -> tuple[torch.Tensor, ...]:
        with pytest.MonkeyPatch.context() as patch:
            for name in {"CONTRAST", "SATURATION", "CHANNEL_GAIN"} - set(alone):
                patch.setattr(augment, name, (1.0, 1.0))
            for name, value in alone.items():
                patch.setattr(augment, name, value)
            gain, grey, middle = augment._draw_colours(batch, torch.Generator().manual_seed(1))
        return gain.flatten(1) / 64, grey.flatten() / 64, middle.flatten()

    def spans(values: torch.Tensor, low: float, high: float) -> bool:
        slack = 0.03 * (high - low)
        return bool(low - slack <= values.min() <= low + slack and high - slack <= values.max() <= high + slack)

    gain, grey, middle = drawn(CONTRAST=augment.CONTRAST)
    assert spans(gain, 0.6, 1.5) and spans(middle, 96, 160) and not grey.any()
    assert (gain.diff(dim=1) == 0).all()
    gain, grey, _ = drawn(SATURATION=augment.SATURATION)
    assert spans(gain, 0.4, 1.5) and torch.allclose(gain[:, 0] + grey, torch.ones(4000), atol=0.02)
    gain, grey, _ = drawn(CHANNEL_GAIN=augment.CHANNEL_GAIN)
    assert spans(gain, 0.85, 1.15) and (gain[:, 0] - gain[:, 1]).abs().max() > 0.2 and not grey.any()
    gain, grey, _ = drawn(CONTRAST=(0.5, 0.5), SATURATION=(0.5, 0.5))
    assert (gain == 0.25).all() and (grey == 0.25).all()


def test_a_sample_is_mirrored_zoomed_cropped_and_recoloured_now_and_then() -> None:
    """A grey square in the left half of a dark picture, 20 of 64 pixels high: what can have happened to it."""
    sample = square_on_black(10, 20, 24)
    sample["input"] = sample["input"] // 2 + 20
    change = SampleAugment((64, 96))
    seen = []
    for seed in range(60):
        torch.manual_seed(seed)
        result = change(sample)
        if len(result["labels"]):
            left, top, right, bottom = result["boxes"][0].tolist()
            colour = result["input"][:, int((top + bottom) / 2), int((left + right) / 2)].tolist()
            seen.append((right - left, left, colour))
    widths, lefts, colours = ([row[place] for row in seen] for place in range(3))
    assert min(widths) < 20 and max(widths) > 30
    assert sum(left > 45 for left in lefts) > 10 and sum(left < 20 for left in lefts) > 10
    assert len({tuple(colour) for colour in colours}) > 40


def test_a_small_object_is_kept_and_a_sliver_is_not() -> None:
    """From two pixels a side on, at the size that is returned."""
    still = SampleAugment((64, 96)).after
    for width, count in ((3, 1), (1, 0)):
        sample = square_on_black(30, 20, 24)
        boxes = torch.tensor([[30.0, 20.0, 30.0 + width, 44.0]])
        boxes = tv_tensors.BoundingBoxes(boxes, format="XYXY", canvas_size=(64, 96))
        assert len(still({**sample, "input": tv_tensors.Image(sample["input"]), "boxes": boxes})["labels"]) == count
