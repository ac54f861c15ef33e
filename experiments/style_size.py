"""How fine is the style, by the size of the picture? From a sweep of `style_size`.

What the transfer changed (picture less content, in grey) is taken apart into waves; those of fewer than 8 to a picture
are colour, not strokes. The mean wavelength, weighted by power, is how fine the strokes are.

    python -m experiments.style_size FOLDER [PICTURE.png]
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import zoo
from experiments.tables import print_markdown, trials
from zoo_vision.style_transfer.content_and_style import content_and_style

STROKES = 8  # waves to a picture, at least


def main(folder: Path, picture: str | None = None) -> None:
    content = zoo.tensor_to_picture(content_and_style().splits["val"][0]["content"])
    rows, crops = [], []
    for trial in trials(folder):
        (size,) = trial["point"]["model.sizes"]
        with Image.open(folder / f"trial-{trial['number']:04d}" / "pictures/picture.png") as opened:
            found = opened.convert("RGB")
        wavelength = mean_wavelength(_grey(found) - _grey(content.resize(found.size, Image.Resampling.BICUBIC)))
        rows.append([str(size), f"{wavelength:.1f}", f"{100 * wavelength / found.width:.2f}"])
        crops.append(found.resize((768, 512), Image.Resampling.NEAREST).crop((60, 120, 380, 440)))
    print_markdown(["longer side, pixels", "wavelength, pixels", "wavelength, % of the width"], rows)
    if picture:
        sheet = Image.new("RGB", (328 * len(crops) - 8, 320), "white")
        for index, crop in enumerate(crops):
            sheet.paste(crop, (328 * index, 0))
        sheet.save(picture)


def mean_wavelength(change: np.ndarray) -> float:
    """In pixels, of (H, W)."""
    power = np.abs(np.fft.rfft2(change - change.mean())) ** 2
    down, right = np.fft.fftfreq(change.shape[0])[:, None], np.fft.rfftfreq(change.shape[1])[None]
    frequency = np.hypot(down, right)
    power = np.where(frequency * change.shape[1] < STROKES, 0, power)
    return float(power.sum() / (frequency * power).sum())


def _grey(picture: Any) -> np.ndarray:
    return np.asarray(picture.convert("L"), dtype=np.float64) / 255


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:3])
