"""Near-duplicates: pictures saved again are one group, another view of the same thing is none of it."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data
from sklearn.datasets import load_sample_image

from tests.reference import duplicates as reference
from zoo import picture_to_tensor
from zoo_vision import duplicates
from zoo_vision.duplicates import duplicate_groups


def saved_again(picture: Image.Image) -> Image.Image:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=50)
    return Image.open(file)


def test_photographs_saved_again_or_scaled_are_one_group_and_other_views_are_not() -> None:
    """Real ones. Cut at two sides by a fiftieth, a photograph is a new view: a tenth of its bits changed."""
    groups = []
    for name in ("china.jpg", "flower.jpg", "astronaut", "coffee", "chelsea"):
        pixels = load_sample_image(name) if name.endswith("jpg") else getattr(data, name)()
        photo = Image.fromarray(np.asarray(pixels))
        width, height = photo.size
        small = photo.resize((width // 3, height // 3), Image.Resampling.BILINEAR)
        brighter = photo.point(lambda value: round(0.8 * value + 20))
        view = photo.crop((width // 50, height // 50, width, height))
        groups += [photo, saved_again(photo.resize((128, 128))), small, brighter, view]
    tensors = torch.stack([picture_to_tensor(picture, (128, 128)) for picture in groups])
    numbers = torch.tensor(duplicate_groups(tensors)).view(5, 5)
    assert (numbers[:, :4] == numbers[:, :1]).all()
    assert len(numbers[:, 3:].unique()) == 10


@pytest.mark.parametrize("rows", [512, 3])
@pytest.mark.parametrize("channels", [1, 2])  # whose mean is exact
def test_groups_against_pair_by_pair(rows: int, channels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten pictures, each changed a little further three times, and three plain ones before them; in pieces too."""
    monkeypatch.setattr(duplicates, "ROWS_AT_ONCE", rows)
    random = torch.Generator().manual_seed(channels)
    pictures = list(torch.full((3, channels, 32, 34), 9))
    for _ in range(10):
        picture = torch.randint(0, 256, (channels, 32, 34), generator=random)
        for strength in (0, 4, 8, 20):
            change = torch.randint(-strength, strength + 1, picture.shape, generator=random)
            pictures.append((picture + change).clamp(0, 255))
    order = torch.cat([torch.arange(3), 3 + torch.randperm(40, generator=random)])
    stacked = torch.stack(pictures)[order].to(torch.uint8)
    found, expected = duplicate_groups(stacked), reference.groups(stacked, 0.02)
    assert len(set(zip(found, expected, strict=True))) == len(set(found)) == len(set(expected))
    assert 13 < len(set(found)) < 43


def test_plain_pictures_are_like_no_other() -> None:
    plain = torch.full((6, 3, 8, 8), 7, dtype=torch.uint8)
    plain[5, :, :, 4:] = 200
    assert len(set(duplicate_groups(plain))) == 6
