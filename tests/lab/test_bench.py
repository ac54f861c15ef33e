"""`zoo bench`: its rates, by a clock that the work itself moves on."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from tests.zoo.probe_parts import Bells
from tests.zoo.training import experiment
from zoo_lab import bench
from zoo_lab.bench import Row, knee, write_bench

pytestmark = pytest.mark.usefixtures("probe_parts")

BATCH = 16


class Clock:
    """A clock that stands still unless it is moved on."""

    def __init__(self) -> None:
        self.now, self.steps = 100.0, 0

    def step(self, outputs: torch.Tensor) -> None:
        """A second for each step, a hundred for each of the first two."""
        self.steps += 1
        self.now += 100 if self.steps <= 2 else 1


class Slow:
    """Batches that take three seconds each."""

    def __init__(self, batches: Any, clock: Clock) -> None:
        self.batches, self.clock = batches, clock

    def __len__(self) -> int:
        return len(self.batches)

    def epoch(self, epoch: int, first: int = 0) -> Iterator[Any]:
        for batch in self.batches.epoch(epoch, first):
            self.clock.now += 3
            yield batch


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(bench, "time", SimpleNamespace(perf_counter=lambda: clock.now))
    monkeypatch.setattr(Bells, "loss", clock.step)
    return clock


def test_steps_that_warm_up_are_not_timed(clock: Clock) -> None:
    """By hand: 16 examples a second, whatever the first two steps took; about the time asked for."""
    parts = experiment({"dataset": "positive_line"}, batch_size=BATCH)
    assert bench._rate(parts, seconds=10) == pytest.approx(BATCH)
    assert 2 + 10 <= clock.steps <= 2 + 12


def test_both_rates(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand: 16 examples in 4 seconds with their loading, in 1 second without."""
    parts = experiment({"dataset": "positive_line"}, batch_size=BATCH)
    parts.batches = Slow(parts.batches, clock)
    parts.model.eval()
    original: Callable[..., float] = bench._rate
    modes = set()

    def rate(*arguments: Any) -> float:
        clock.steps = 0
        return original(*arguments)

    def step(outputs: torch.Tensor) -> None:
        modes.add(parts.model.training)
        clock.step(outputs)

    monkeypatch.setattr(bench, "_rate", rate)
    monkeypatch.setattr(Bells, "loss", step)
    row = bench._timed(parts, seconds=20)
    assert (row.batch_size, row.examples_per_second, row.less_loading) == (BATCH, BATCH / 4, BATCH)
    assert modes == {True}
    assert row.peak_mib > 50  # torch alone takes more


def rows(*rates: float) -> list[Row]:
    return [Row(2**power, rate, 2 * rate, 1.0) for power, rate in enumerate(rates)]


def test_the_knee_is_the_smallest_batch_that_is_nearly_as_fast() -> None:
    assert knee(rows(10, 94, 96, 100, 99)) == 4
    assert knee(rows(100, 99, 50)) == 1
    assert knee(list(reversed(rows(10, 94, 96, 100, 99)))) == 4


def test_a_table_and_a_plot_are_left(tmp_path: Path) -> None:
    write_bench(tmp_path / "new" / "folder", rows(10, 20))
    with (tmp_path / "new" / "folder" / "bench.csv").open(newline="") as file:
        table = list(csv.reader(file))
    assert table == [
        ["batch_size", "examples_per_second", "less_loading", "peak_mib"],
        ["1", "10", "20", "1.0"],
        ["2", "20", "40", "1.0"],
    ]
    assert (tmp_path / "new" / "folder" / "bench.png").read_bytes().startswith(b"\x89PNG")
