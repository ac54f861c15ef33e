"""Errors 1, 4, 16 and 64 steps ahead for each point of a sweep of forecasts, with 95% intervals over seeds.

python -m experiments.horizons FOLDER KEY...
"""

from __future__ import annotations

import sys
from pathlib import Path

from experiments.tables import grouped, print_markdown, shown, text, trials
from zoo_seq.forecasting.metrics import StepError


def main(folder: Path, keys: list[str]) -> None:
    found = trials(folder)
    columns = [
        grouped(found, keys, lambda trial, step=step: trial["figures"][f"val/error_{step}"])  # type: ignore[misc]
        for step in StepError.steps
    ]
    rows = [[*map(text, point), *(shown(column[point]) for column in columns)] for point in columns[0]]
    print_markdown([*keys, *(f"{step} ahead" for step in StepError.steps)], rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
