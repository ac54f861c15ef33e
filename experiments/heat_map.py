"""A sweep's figure by two of its parameters, the mean over all others, as a table and a picture.

python -m experiments.heat_map FOLDER ROWS_KEY COLUMNS_KEY [PICTURE.png]
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

from experiments.tables import grouped, print_markdown, text, trials


def main(folder: Path, keys: tuple[str, str], picture: str | None = None) -> None:
    groups = grouped(trials(folder), keys, lambda trial: trial["value"])
    rows, columns = (list(dict.fromkeys(point[place] for point in groups)) for place in (0, 1))
    means = [[statistics.fmean(groups.get((row, column), [float("nan")])) for column in columns] for row in rows]
    cells = [
        [text(row), *(f"**{mean:.3f}**" if mean == max(line) else f"{mean:.3f}" for mean in line)]
        for row, line in zip(rows, means, strict=True)
    ]
    print_markdown([f"{keys[0]}, {keys[1]}", *map(text, columns)], cells)
    if picture:
        _draw(means, list(map(text, rows)), list(map(text, columns)), keys, picture)


def _draw(means: list[list[float]], rows: list[str], columns: list[str], keys: tuple[str, str], picture: str) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1.8 + 0.75 * len(columns), 1 + 0.45 * len(rows)), dpi=110, layout="constrained")
    axes = figure.subplots()
    axes.imshow(means, aspect="auto", cmap="viridis")
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), rows)
    axes.set_xlabel(keys[1])
    axes.set_ylabel(keys[0])
    middle = (max(map(max, means)) + min(map(min, means))) / 2
    for y, line in enumerate(means):
        for x, mean in enumerate(line):
            colour = "black" if mean > middle else "white"
            axes.text(x, y, f"{mean:.3f}", ha="center", va="center", fontsize=8, color=colour)
    figure.savefig(picture, metadata={"Software": None})


if __name__ == "__main__":
    main(Path(sys.argv[1]), (sys.argv[2], sys.argv[3]), *sys.argv[4:5])
