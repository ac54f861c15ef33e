"""metrics.jsonl: what is read from torn lines, and where a resumed run cuts it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from zoo import RunFailed
from zoo.runs.metrics_log import MetricsLog


@pytest.fixture
def log(tmp_path: Path) -> MetricsLog:
    return MetricsLog(tmp_path / "metrics.jsonl")


LINES = b'{"step": 1, "a": 0.5}\n{"step": 2}\n'


def test_a_line_for_each_event(log: MetricsLog) -> None:
    assert log.events() == [] and log.flushed_size() == 0
    for event in ({"step": 1, "a": 0.5}, {"step": 2}):
        log.append(event)
    assert log.file.read_bytes() == LINES
    assert log.events() == [{"step": 1, "a": 0.5}, {"step": 2}]
    assert log.flushed_size() == len(LINES)


def test_what_is_no_event_costs_only_itself(log: MetricsLog) -> None:
    """Torn in the middle or at the end, of another form, without a step, nested too deep."""
    torn = [b'{"step": 3, "a"', b"[1]", b'{"a": 1}', b'{"step": "4"}', b"\xff\xfe", b"[" * 100_000, b"7"]
    log.file.write_bytes(b"\n".join(torn) + b"\n" + LINES + b'{"step": 5')
    assert log.events() == [{"step": 1, "a": 0.5}, {"step": 2}]


@pytest.mark.parametrize(
    ("content", "size", "left", "missing"),
    [
        (LINES + b'{"step": 3}\n', len(LINES), LINES, 0),
        (LINES + b'{"st', len(LINES), LINES, 0),
        (LINES, len(LINES), LINES, 0),
        (LINES[:25], len(LINES), LINES[:22], len(LINES) - 22),
        (LINES, len(LINES) + 7, LINES, 7),
        (b"torn", 30, b"", 30),
        (LINES, 0, b"", 0),
        (None, 5, None, 5),
    ],
)
def test_a_log_is_cut_to_whole_lines(
    log: MetricsLog, content: bytes | None, size: int, left: bytes | None, missing: int
) -> None:
    """By hand: what is left of it, and how many of the stated bytes are not there."""
    if content is not None:
        log.file.write_bytes(content)
    assert log.cut(size) == missing
    assert (log.file.read_bytes() if log.file.exists() else None) == left


def test_a_line_that_is_not_written_whole_leaves_nothing(log: MetricsLog, monkeypatch: pytest.MonkeyPatch) -> None:
    log.append({"step": 1})
    before, write = log.file.read_bytes(), os.write

    def half(handle: int, content: Any) -> int:
        return write(handle, content[:5])

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(RunFailed, match="No space left"):
        log.append({"step": 2})
    assert log.file.read_bytes() == before
