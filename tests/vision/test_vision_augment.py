"""Augmentation: every picture changes by its own draw, and each change is held to a slow one, picture by picture."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference.picture_changes import cropped_by, recoloured, resized_part
from zoo import seeded
from zoo_vision import augment
from zoo_vision.augment import CHANGES, Augment

SIDES = st.integers(4, 20)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(count: int = 8, channels: int = 3, height: int = 16, width: int = 12, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 256, (count, channels, height, width), dtype=torch.uint8, generator=generator(seed))


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_change_keeps_shape_and_type_and_follows_from_the_generator(name: str, channels: int) -> None:
    before = pictures(channels=channels)
    kept = before.clone()
    state = torch.get_rng_state()
    first, second = (CHANGES[name](before, generator(3)) for _ in range(2))
    assert (first.shape, first.dtype) == (before.shape, torch.uint8)
    assert torch.equal(first, second)
    assert not torch.equal(first, CHANGES[name](before, generator(4)))
    assert torch.equal(before, kept)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(("change", "side"), [(augment.flip, -1), (augment.vertical_flip, -2)])
def test_about_half_of_the_pictures_are_mirrored(change: object, side: int) -> None:
    before = pictures(1000)
    after = change(before, generator())  # type: ignore[operator]
    mirrored = [torch.equal(one, other.flip(side)) for one, other in zip(after, before, strict=True)]
    same = [torch.equal(one, other) for one, other in zip(after, before, strict=True)]
    assert all(a != b for a, b in zip(mirrored, same, strict=True))
    assert 450 < sum(mirrored) < 550  # by three deviations


@settings(max_examples=25, deadline=None)
@given(height=SIDES, width=SIDES, seed=st.integers(0, 1000))
def test_crop_against_moving_each_picture_pixel_by_pixel(height: int, width: int, seed: int) -> None:
    before = pictures(4, 2, height, width, seed)
    after = augment.crop(before, generator(seed))
    again = generator(seed)
    down, across = -(-height // 8), -(-width // 8)
    tops = torch.randint(2 * down + 1, (4,), generator=again) - down
    lefts = torch.randint(2 * across + 1, (4,), generator=again) - across
    for one, picture, top, left in zip(after, before, tops.tolist(), lefts.tolist(), strict=True):
        assert torch.equal(one, cropped_by(picture, top, left))


@settings(max_examples=15, deadline=None)
@given(height=SIDES, width=SIDES, seed=st.integers(0, 1000))
def test_resized_crop_against_bilinear_sampling_of_each_picture(height: int, width: int, seed: int) -> None:
    before = pictures(3, 1, height, width, seed)
    after = augment.resized_crop(before, generator(seed))
    again = generator(seed)
    area = 0.35 + 0.65 * torch.rand(3, generator=again)
    ratio = ((torch.rand(3, generator=again) * 2 - 1) * torch.log(torch.tensor(4 / 3))).exp()
    wide, tall = (area * ratio).sqrt().clamp(max=1), (area / ratio).sqrt().clamp(max=1)
    across, down = ((torch.rand(3, generator=again) * 2 - 1) * (1 - share) for share in (wide, tall))
    for number in range(3):
        part = [float(values[number]) for values in (across, down, wide, tall)]
        expected = resized_part(before[number].float(), *part)
        error = after[number].float() - expected
        assert float(error.abs().max()) <= 0.51  # rounded, not cut off


@settings(max_examples=15, deadline=None)
@given(channels=st.sampled_from([1, 3]), seed=st.integers(0, 1000))
def test_color_against_each_pixel(channels: int, seed: int) -> None:
    """The dark, the light and the mixed, so that values leave the range at both ends."""
    before = pictures(3, channels, 4, 5, seed)
    before[0] //= 4
    before[1] = 255 - before[1] // 4
    after = augment.color(before, generator(seed))
    again = generator(seed)
    draws = [0.6 + 0.8 * torch.rand(3, generator=again) for _ in range(3)]
    for number in range(3):
        expected = recoloured(before[number], *(float(draw[number]) for draw in draws))
        assert float((after[number] - expected).abs().max()) <= 0.51


def test_rand_augment_is_torchvision_s_drawn_for_each_picture() -> None:
    """Twelve pictures of one kind come out in different ways, the same for a seed."""
    from torchvision.transforms import v2

    same = pictures(1).expand(12, -1, -1, -1)
    after = augment.rand_augment(same, generator(5))
    assert len({picture.numpy().tobytes() for picture in after}) > 6
    with seeded(5):
        expected = [v2.RandAugment()(picture) for picture in same]
    assert torch.equal(after, torch.stack(expected))


def test_grey_pictures_keep_their_grey_under_color() -> None:
    grey = pictures(channels=1).expand(-1, 3, -1, -1)
    after = augment.color(grey, generator()).int()
    assert (after.amax(dim=1) - after.amin(dim=1)).max() <= 1


@pytest.mark.parametrize("name", ["mixup", "cutmix"])
def test_mixing_gives_shares_of_classes(name: str) -> None:
    labels = torch.tensor([0, 1, 2, 3])
    solid = (labels * 60).to(torch.uint8).view(4, 1, 1, 1).expand(4, 1, 10, 10).contiguous()
    batch = Augment([name], 5)({"input": solid, "label": labels, "other": labels}, generator())
    shares = batch["label"]
    assert shares.shape == (4, 5) and torch.allclose(shares.sum(dim=1), torch.ones(4))
    # The share of a class is the share of its pixels or of their brightness: both are in the mean of the picture.
    expected = (shares * torch.arange(5) * 60).sum(dim=1)
    torch.testing.assert_close(batch["input"].float().mean(dim=(1, 2, 3)), expected, atol=0.501, rtol=0)
    assert torch.equal(batch["other"], labels)
    values = [picture.unique().tolist() for picture in batch["input"]]
    if name == "mixup":  # every pixel is of two pictures, in the share of the label
        assert all(len(own) == 1 for own in values)
    else:  # every pixel is of one picture
        assert all(set(own) <= {0, 60, 120, 180} for own in values) and any(len(own) == 2 for own in values)


@pytest.mark.parametrize("name", ["mixup", "cutmix"])
def test_mixing_follows_from_the_generator(name: str) -> None:
    batch = {"input": pictures(6), "label": torch.arange(6)}
    first, second, other = (Augment([name], 6)(batch, generator(seed)) for seed in (3, 3, 4))
    assert torch.equal(first["input"], second["input"]) and torch.equal(first["label"], second["label"])
    assert not torch.equal(first["label"], other["label"])


def test_each_change_has_its_name() -> None:
    for name, change in CHANGES.items():
        changed = Augment([name], 8)({"input": pictures(), "label": torch.arange(8)}, generator(2))
        assert torch.equal(changed["input"], getattr(augment, name)(pictures(), generator(2)))
        assert torch.equal(changed["label"], torch.arange(8)) and change is getattr(augment, name)


def test_changes_follow_one_another() -> None:
    batch = {"input": pictures(), "label": torch.arange(8)}
    both = Augment(["flip", "vertical_flip"], 8)(batch, generator(5))["input"]
    again = generator(5)
    assert torch.equal(both, augment.vertical_flip(augment.flip(batch["input"], again), again))
