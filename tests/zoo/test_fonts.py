"""What is written on pictures can be read, whatever its script."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import ImageFont

from zoo import legible
from zoo.kit import fonts

DEJA_VU = "DejaVuSans.ttf"  # it comes with matplotlib


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    cached = (fonts._file_with, fonts._files, fonts._say_that_there_is_none)
    for function in cached:
        function.cache_clear()
    yield
    for function in cached:
        function.cache_clear()


def with_fonts(monkeypatch: pytest.MonkeyPatch, *files: str) -> None:
    monkeypatch.setattr(fonts, "_files", lambda: [*files])


def lacks(font: ImageFont.FreeTypeFont, letter: str) -> bool:
    """The letter looks like one that does not exist."""
    return bytes(font.getmask(letter)) == bytes(font.getmask("\U0010fffe"))


def test_ascii_is_written_in_pillow_s_own_font(monkeypatch: pytest.MonkeyPatch) -> None:
    with_fonts(monkeypatch)
    text, font = legible("red cup 0.93", 17, 3)
    assert text == "red cup 0.93" and font.getname() == ImageFont.load_default(17).getname() and font.size == 17


@pytest.mark.parametrize("text", ["été 0.5", "привет", "Ωμέγα"])
def test_other_letters_are_written_in_a_font_that_has_them(text: str) -> None:
    shown, font = legible(text, 20, 3)
    assert shown == text and font.size == 20
    assert not any(lacks(font, letter) for letter in text)
    assert any(lacks(ImageFont.load_default(20), letter) for letter in text)


def test_fonts_that_lack_a_letter_or_are_damaged_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "damaged.ttf").write_text("no font")
    shipped = fonts._files()[0]
    assert shipped.endswith(DEJA_VU)
    without = str(Path(shipped).with_name("STIXSizOneSymReg.ttf"))
    with_fonts(monkeypatch, str(tmp_path / "damaged.ttf"), without, shipped)
    text, font = legible("ж", 20, 3)
    assert text == "ж" and str(font.path) == shipped


def test_where_no_font_has_the_letters_the_class_s_number_stands_for_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And it is said once, however many names there are."""
    with_fonts(monkeypatch, fonts._files()[0])
    assert [legible(text, 12, 7)[0] for text in ("猫", "猫 0.93", "the 黑 猫 cat", "cat")] == [
        "7", "7 0.93", "the 7 cat", "cat",
    ]  # fmt: skip
    assert legible("狗", 12, 8)[1].getname() == ImageFont.load_default(12).getname()
    assert capsys.readouterr().err.count("no font on this machine") == 1


def test_chinese_with_the_fonts_of_this_machine() -> None:
    text, font = legible("猫 0.93", 20, 7)
    if text == "7 0.93":
        pytest.skip("no font on this machine has Chinese characters: Debian's fonts-wqy-microhei has")
    assert text == "猫 0.93" and not lacks(font, "猫") and bytes(font.getmask("猫")) != bytes(font.getmask("狗"))


def test_every_picture_s_labels_are_legible(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a font for it, a name is drawn as if the class were called by its number: captions, legends, boxes."""
    import torch
    from PIL import Image

    from zoo_basics.tasks import Classification
    from zoo_detection.drawing import draw_boxes
    from zoo_vision.segmentation.task import Segmentation

    with_fonts(monkeypatch)
    sample = {"input": torch.full((3, 40, 60), 90, dtype=torch.uint8), "label": torch.tensor(1)}
    mask = torch.ones(40, 60, dtype=torch.uint8)

    def drawn(name: str) -> list[bytes]:
        classes = ["background", name]
        task, masks = Classification(classes), Segmentation(classes, {"size": [40, 60]})
        boxes = draw_boxes(Image.new("RGB", (60, 40)), [[5, 15, 30, 35]], [f"{name} 0.9"], [1])
        pictures = [
            task.draw(sample, torch.tensor([0.2, 0.8])),
            task.draw(sample, torch.tensor([0.2, 0.8]), truth=True),
        ]
        return [picture.tobytes() for picture in (*pictures, masks.draw(sample, mask), boxes)]

    assert drawn("猫") == drawn("1")
    assert all(one != other for one, other in zip(drawn("猫"), drawn("2"), strict=True))
