"""Training samples in a grid."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from PIL import Image

from tests.zoo.training import RECIPE, experiment
from zoo import InputError
from zoo_lab.preview import _grid, draw_samples

RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


def test_samples_stand_in_rows() -> None:
    """By hand: seven of 10 x 20 pixels, four across and two down, each with a gap of six; the last place is white."""
    images = [Image.new("RGB", (10, 20), (number, 0, 0)) for number in range(7)]
    sheet = _grid(images)
    assert sheet.size == (4 * 16, 2 * 26)
    found = [sheet.getpixel((16 * column, 26 * row)) for row in range(2) for column in range(4)]
    assert found == [*[(number, 0, 0) for number in range(7)], WHITE]
    assert sheet.getpixel((10, 0)) == sheet.getpixel((0, 20)) == WHITE


@pytest.mark.parametrize(("count", "across", "down"), [(1, 1, 1), (2, 2, 1), (3, 3, 1), (8, 4, 2), (9, 5, 2)])
def test_twice_as_many_stand_across_as_down(count: int, across: int, down: int) -> None:
    assert _grid([Image.new("RGB", (4, 4))] * count).size == (across * 10, down * 10)


def test_the_largest_sample_has_room() -> None:
    sheet = _grid([Image.new("RGB", (10, 4), "red"), Image.new("RGB", (4, 30), "blue")])
    assert sheet.size == (2 * 16, 36)
    assert (sheet.getpixel((9, 3)), sheet.getpixel((16, 29)), sheet.getpixel((20, 0))) == (RED, BLUE, WHITE)


@pytest.mark.usefixtures("probe_parts")
def test_the_samples_are_those_of_the_first_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same that training begins with, in its order and with its transform; the task draws the truth."""
    parts = experiment()
    drawn: list[tuple[float, Any, bool]] = []

    def draw(task: Any, sample: dict[str, Any], prediction: Any, truth: bool = False) -> Any:
        drawn.append((sample["input"].item(), prediction, truth))
        return Image.new("RGB", (2, 2))

    monkeypatch.setattr(type(parts.scoring.task), "draw", draw)
    sheet = draw_samples(str(RECIPE), [], quick=False, count=20)
    first = torch.cat([batch["input"] for batch in parts.batches.epoch(0)])[:20, 0].tolist()
    assert drawn == [(x, None, True) for x in first]
    assert sheet.size == (7 * 8, 3 * 8)


@pytest.mark.usefixtures("probe_parts")
def test_samples_that_are_nothing_to_look_at() -> None:
    with pytest.raises(InputError, match="has no picture of a sample"):
        draw_samples(str(RECIPE), [], quick=False, count=1)
