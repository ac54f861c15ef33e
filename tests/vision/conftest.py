"""For all tests of zoo_vision."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.one_thread import one_thread
from tests.vision.leaves import CLASSES, paint, write

__all__ = ["leaves", "one_thread"]


@pytest.fixture
def leaves(tmp_path: Path) -> Path:
    """30 labelled pictures in no order, 5 without a label."""
    names = [f"images/{number}.png" for number in range(35)]
    for number, name in enumerate(names):
        paint(tmp_path / name, number)
    write(tmp_path / "train.csv", "image,label", [f"{name},{CLASSES[i % 3]}" for i, name in enumerate(names[:30])])
    write(tmp_path / "test.csv", "image", names[30:])
    write(tmp_path / "sample_submission.csv", "image,label", [f"{name},ash" for name in names[30:]])
    return tmp_path
