"""The mean and its 95% interval over seeds, for each point of a sweep: `python -m experiments.means FOLDER KEY...`."""

from __future__ import annotations

import sys
from pathlib import Path

from experiments.tables import grouped, print_markdown, shown, trials


def main(folder: Path, keys: list[str]) -> None:
    groups = grouped(trials(folder), keys, lambda trial: trial["value"])
    rows = [[*map(_text, point), shown(values, 4), str(len(values))] for point, values in groups.items()]
    print_markdown([*keys, "figure", "seeds"], rows)


def _text(value: object) -> str:
    """Lists as `128, 64`, tables as `name alexnet, dropout 0.0`."""
    if not isinstance(value, tuple):
        return str(value)
    return ", ".join(" ".join(map(str, part)) if isinstance(part, tuple) else str(part) for part in value)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
