"""The mean and its 95% interval over seeds, for each point of a sweep: `python -m experiments.means FOLDER KEY...`."""

from __future__ import annotations

import sys
from pathlib import Path

from experiments.tables import grouped, print_markdown, shown, text, trials


def main(folder: Path, keys: list[str]) -> None:
    groups = grouped(trials(folder), keys, lambda trial: trial["value"])
    rows = [[*map(text, point), shown(values, 4), str(len(values))] for point, values in groups.items()]
    print_markdown([*keys, "figure", "seeds"], rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
