"""How fast a recipe trains, by batch size."""

from __future__ import annotations

import csv
import io
import resource
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import repeat
from pathlib import Path
from typing import Any

import torch

from zoo import Batch, Experiment, prepare

WARM_UP_STEPS = 2
NEAR_BEST = 0.95  # a batch this near to the fastest is large enough


@dataclass(frozen=True)
class Row:
    """The speed that one batch size reaches.

    Attributes:
        examples_per_second: end to end: loading, augmentation, forward, backward, step.
        less_loading: the same step on one batch that is there already.
        peak_mib: the most memory that tensors took on a GPU; on a CPU, that the process has taken so far.
    """

    batch_size: int
    examples_per_second: float
    less_loading: float
    peak_mib: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def bench_recipe(
    recipe: str, overrides: Iterable[str], sizes: Sequence[int], seconds: float, quick: bool = False
) -> Iterator[Row]:
    """Yield a row for each batch size, each timed for about so many seconds."""
    for size in sizes:
        yield _timed(prepare(recipe, [*overrides, f"train.batch_size={size}"], quick=quick), seconds / 2)


def knee(rows: Sequence[Row]) -> int:
    """Return the smallest batch size that is nearly as fast as the fastest."""
    best = max(row.examples_per_second for row in rows)
    return min(row.batch_size for row in rows if row.examples_per_second >= NEAR_BEST * best)


def write_bench(folder: Path, rows: Sequence[Row]) -> None:
    """Write bench.csv and bench.png."""
    folder.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0].as_json(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(row.as_json() for row in rows)
    (folder / "bench.csv").write_text(text.getvalue())
    _plot(rows).savefig(folder / "bench.png", metadata={"Software": None})


def _timed(experiment: Experiment, seconds: float) -> Row:
    cuda = experiment.device.type == "cuda"
    if cuda:
        torch.cuda.reset_peak_memory_stats(experiment.device)
    end_to_end = _rate(experiment, seconds)
    batch = next(iter(experiment.batches.epoch(0)))
    computing = _rate(replace(experiment, batches=_Same(batch)), seconds)
    peak = torch.cuda.max_memory_allocated(experiment.device) / 2**20 if cuda else _process_mib()
    return Row(experiment.train.batch_size, round(end_to_end, 2), round(computing, 2), round(peak, 1))


def _rate(experiment: Experiment, seconds: float) -> float:
    """Return the examples a second of whole epochs' steps, after a few to warm up, or once through the time."""
    update = replace(experiment.update, schedule=None, warmup_steps=0)  # a schedule has an end
    endless = replace(experiment, update=update, total_steps=10**9)
    examples, started = 0, 0.0
    for step in endless.steps():
        if step.number <= WARM_UP_STEPS:
            _wait(experiment.device)
            started = time.perf_counter()
            continue
        examples += step.examples
        if time.perf_counter() - started > seconds:
            break
    _wait(experiment.device)
    return examples / (time.perf_counter() - started)


class _Same:
    """One batch, again and again."""

    samples = 0

    def __init__(self, batch: Batch) -> None:
        self.batch = batch

    def of(self, indices: torch.Tensor) -> Batch:
        return self.batch

    def __len__(self) -> int:
        return 10**9

    def epoch(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        return repeat(self.batch)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _process_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def _plot(rows: Sequence[Row]) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), dpi=110, layout="constrained")
    axes = figure.subplots()
    sizes = [row.batch_size for row in rows]
    axes.plot(sizes, [row.examples_per_second for row in rows], marker="o", label="end to end")
    axes.plot(sizes, [row.less_loading for row in rows], marker="o", linestyle="--", label="less loading")
    axes.axvline(knee(rows), color="grey", linewidth=0.8, label="the knee")
    axes.set(xlabel="batch size", ylabel="examples/s", ylim=(0, None), xticks=sizes)
    axes.legend()
    return figure
