"""Pictures from files, and as tensors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from zoo import InputError, Normalize, picture_to_tensor, read_picture, tensor_to_picture
from zoo.kit.pictures import class_color


def test_every_kind_of_picture_becomes_rgb(tmp_path: Path) -> None:
    grey = np.full((4, 6), 128, dtype=np.uint8)
    modes: dict[str, Any] = {
        "grey.png": Image.fromarray(grey),
        "grey_alpha.png": Image.merge("LA", (Image.fromarray(grey), Image.new("L", (6, 4), 255))),
        "deep.png": Image.fromarray(grey.astype(np.uint16) * 257),
        "palette.gif": Image.fromarray(grey).convert("P"),
        "cmyk.tif": Image.fromarray(grey).convert("RGB").convert("CMYK"),
    }
    for name, picture in modes.items():
        picture.save(tmp_path / name)
        found = read_picture(tmp_path / name)
        assert found.mode == "RGB", name
        assert found.size == (6, 4), name
        assert all(abs(value - 128) <= 1 for value in found.getpixel((2, 2))), name


def test_transparent_becomes_white(tmp_path: Path) -> None:
    Image.new("RGBA", (4, 4), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    assert read_picture(tmp_path / "clear.png").getpixel((1, 1)) == (255, 255, 255)


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    picture = Image.new("RGB", (40, 20), "blue")
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(tmp_path / "turned.jpg", exif=exif)
    assert read_picture(tmp_path / "turned.jpg").size == (20, 40)


@pytest.mark.parametrize("content", [None, b"", b"no picture", b"\x89PNG\r\n\x1a\n broken"])
def test_unreadable_pictures_say_so(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "picture.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"picture\.png"):
        read_picture(path)


def test_a_picture_cut_short_says_so(tmp_path: Path) -> None:
    path = tmp_path / "cut.jpg"
    Image.effect_noise((200, 200), 50).save(path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(InputError, match=r"cut\.jpg"):
        read_picture(path)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_tensor_has_the_channels_and_the_size_asked_for(channels: int) -> None:
    tensor = picture_to_tensor(Image.new("RGB", (30, 20), (200, 100, 50)), (8, 10), channels)
    assert (tensor.shape, tensor.dtype) == ((channels, 8, 10), torch.uint8)
    back = tensor_to_picture(tensor)
    assert back.size == (10, 8)
    grey = round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)
    assert back.getpixel((3, 3)) == ((200, 100, 50) if channels == 3 else (grey, grey, grey))


def test_normalize_is_the_mean_and_the_deviation_of_torchvision() -> None:
    """Against `torchvision.transforms.v2.functional`."""
    from torchvision.transforms.v2 import functional

    pictures = torch.randint(0, 256, (2, 3, 5, 4), dtype=torch.uint8)
    mean, std = [0.5, 0.25, 0.1], [0.2, 0.3, 1.0]
    expected = functional.normalize(functional.to_dtype(pictures, torch.float32, scale=True), mean, std)
    torch.testing.assert_close(Normalize({"mean": mean, "std": std})(pictures), expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(Normalize({})(pictures), pictures / 255)


def test_sixteen_bits_become_eight(tmp_path: Path) -> None:
    """By hand: 65,535 is white, 257 times a value of 8 bits is that value; every channel of a deep picture is equal."""
    values = np.array([[0, 257, 128 * 257, 65_535]], dtype=np.uint16)
    Image.fromarray(values).save(tmp_path / "deep.png")
    picture = read_picture(tmp_path / "deep.png")
    assert [picture.getpixel((x, 0)) for x in range(4)] == [(0,) * 3, (1,) * 3, (128,) * 3, (255,) * 3]


@pytest.mark.parametrize("alpha", [0, 128, 255])
def test_what_is_transparent_in_part_is_mixed_with_white(alpha: int) -> None:
    """By hand: blue over white, in proportion."""
    picture = read_picture(Image.new("RGBA", (2, 2), (0, 0, 255, alpha)))
    assert picture.getpixel((0, 0)) == pytest.approx((255 - alpha, 255 - alpha, 255), abs=1)


def test_a_picture_keeps_its_sides_and_its_channels() -> None:
    """Red above, green at the lower left: (channels, height, width), from the upper left corner."""
    pixels = np.zeros((2, 3, 3), dtype=np.uint8)
    pixels[0, :, 0] = 200
    pixels[1, 0, 1] = 100
    tensor = picture_to_tensor(Image.fromarray(pixels), (2, 3))
    assert torch.equal(tensor, torch.from_numpy(pixels).permute(2, 0, 1))
    assert np.array_equal(np.asarray(tensor_to_picture(tensor)), pixels)


def test_resizing_is_bilinear() -> None:
    """By hand: between 0 and 240 at half the distance from a pixel's middle, 60 and 180."""
    picture = Image.fromarray(np.array([[0, 240]], dtype=np.uint8)).convert("RGB")
    assert picture_to_tensor(picture, (1, 4))[0, 0].tolist() == [0, 60, 180, 240]


def test_colours_of_classes_are_far_apart() -> None:
    """Pure colours by their hue: the first is red, and no two of the first eight are near each other."""
    colours = [class_color(label) for label in range(8)]
    assert class_color(0) == (255, 64, 38)  # by hand: hue 0.02, saturation 0.85, value 1
    assert max(class_color(1)) == round(0.85 * 255)
    distances = [
        sum(abs(one - two) for one, two in zip(first, second, strict=True))
        for index, first in enumerate(colours)
        for second in colours[:index]
    ]
    assert min(distances) > 50


@pytest.mark.parametrize("shape", [(4,), (4, 5, 1), (4, 5, 2), (0, 5, 3), (1, 4, 5, 3)])
def test_an_array_of_another_form_is_no_picture(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="is no picture"):
        read_picture(np.zeros(shape, dtype=np.uint8))
