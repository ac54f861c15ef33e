"""Time rivals in turn, A B A B ..., so that a drifting machine is as slow for one as for the other."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping


def rounds(rivals: Mapping[str, Callable[[], object]], count: int, warm_up: int = 1) -> dict[str, list[float]]:
    """Seconds of each rival in each round."""
    seconds: dict[str, list[float]] = {name: [] for name in rivals}
    for number in range(warm_up + count):
        for name, rival in rivals.items():
            before = time.perf_counter()
            rival()
            if number >= warm_up:
                seconds[name].append(time.perf_counter() - before)
    return seconds


def median_ratio(slow: list[float], fast: list[float]) -> float:
    """How many times faster, as the median over rounds."""
    return statistics.median(a / b for a, b in zip(slow, fast, strict=True))


def print_table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
