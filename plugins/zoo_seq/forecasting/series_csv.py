"""A column of a CSV file, as a time series."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Annotated

import torch
from annotated_types import Ge, Gt, Lt

from zoo import Data, InputError
from zoo_seq.forecasting.series import series_data


def series_csv(
    path: Path,
    column: str,
    tau: Annotated[int, Ge(1)] = 4,
    held_out: Annotated[float, Gt(0), Lt(1)] = 0.4,
) -> Data:
    """One column of a CSV file with a head, in the order of its rows, which should be that of time.

    Args:
        tau: numbers that a forecast is made from.
        held_out: the share at the end that is not trained on.

    Raises:
        zoo.InputError: there is no such file or column, or a cell is no number; it names the row.
    """
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as opened:
            reader = csv.DictReader(opened)
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeError, csv.Error) as error:
        raise InputError(f"the series {path} cannot be read: {error}") from error
    if not rows or column not in rows[0][1]:
        there = ", ".join(f"`{name}`" for name in rows[0][1]) if rows else "no row"
        raise InputError(f"{path} has no column `{column}`", f"it has {there}")
    numbers = [_number(row[column], line, path) for line, row in rows]
    return series_data(torch.tensor(numbers, dtype=torch.float64), tau, held_out)


def _number(cell: str | None, line: int, path: Path) -> float:
    try:
        number = float(cell or "")
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{path}, line {line}: `{cell or ''}` is no number", "fill what is missing before")
    return number
