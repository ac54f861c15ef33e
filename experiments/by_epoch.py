"""What the trials of a sweep had reached after some epochs: the mean over all of them.

python -m experiments.by_epoch FOLDER EPOCH...
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

from experiments.tables import print_markdown, trials
from zoo.runs.folder import Folder


def main(folder: Path, epochs: list[int]) -> None:
    runs = [Folder(folder / f"trial-{trial['number']:04d}").metrics() for trial in trials(folder)]
    figures = [name for name in runs[0][-1] if name not in ("step", "epoch")]
    names = ["train/loss", *figures]
    rows = []
    for epoch in epochs:
        # Later events of an epoch take the place of earlier ones.
        ends = [dict(item for event in run if event["epoch"] == epoch for item in event.items()) for run in runs]
        rows.append([str(epoch), *(f"{statistics.fmean(end[name] for end in ends):.3f}" for name in names)])
    print_markdown(["epoch", *names], rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(number) for number in sys.argv[2:]])
