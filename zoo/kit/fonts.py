"""Fonts for what is written on pictures, whatever its script."""

from __future__ import annotations

import re
import sys
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

NO_LETTER = "\U0010ffff"  # every font shows its sign for what it lacks


def legible(text: str, size: int, label: int) -> tuple[str, FreeTypeFont]:
    """Return a text that names a class, and a font of `size` pixels that has its letters.

    Pillow's own font has ASCII; then come matplotlib's and those of this machine. Where none has the letters, the
    class's number stands in their place, and stderr says so once.
    """
    from PIL import ImageFont

    own: FreeTypeFont = ImageFont.load_default(size)  # type: ignore[assignment]
    if text.isascii():
        return text, own
    file = _file_with("".join(sorted(set(text))))
    if file is None:
        _say_that_there_is_none()
        return re.sub(r"[^\x00-\x7f](.*[^\x00-\x7f])?", str(label), text), own
    return text, ImageFont.truetype(file, size)


@cache
def _file_with(letters: str) -> str | None:
    from PIL import ImageFont

    files = _files()
    for file in files:
        try:
            complete = _has(ImageFont.truetype(file, 10), letters)
        except (OSError, ValueError):  # damaged, or coloured bitmaps of one size
            continue
        if complete:
            files.remove(file)
            files.insert(0, file)  # the next text is of the same script, most likely
            return file
    return None


@cache
def _files() -> list[str]:
    """Font files, those of regular weight first; a font of last resort would have a sign for any letter."""
    import matplotlib
    from matplotlib.font_manager import findSystemFonts

    shipped = f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf"
    system = [file for file in findSystemFonts() if "LastResort" not in file]
    return [shipped, *sorted(system, key=lambda file: ("Regular" not in file, file))]


def _has(font: FreeTypeFont, letters: str) -> bool:
    def drawn(letter: str) -> tuple[tuple[int, int], bytes]:
        mask = font.getmask(letter)
        return mask.size, bytes(mask)

    lacking = drawn(NO_LETTER)
    return all(drawn(letter) != lacking for letter in letters)


@cache
def _say_that_there_is_none() -> None:
    print(
        "no font on this machine has the letters of some classes' names, so pictures show the classes' numbers "
        "(for Chinese, Japanese and Korean: Debian's fonts-noto-cjk)",
        file=sys.stderr,
    )
