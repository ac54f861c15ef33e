"""How far recipes are from their bounds, over several seeds, and what comes by itself.

For each figure that `[quick.expect]` bounds (with `--full`, `[expect]`): the worst and the mean of so many runs that
differ in `train.seed`, and what the best answer that ignores the input and the untrained network score. A row is
printed as soon as its runs are over.

    python -m benchmarks.expectations sine digits --seeds 5
    python -m benchmarks.expectations            # every shipped recipe whose data are at hand: hours
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zoo
from tests.bounds import bounds_of, by_itself
from zoo import InputError
from zoo.recipes.shipped import shipped_recipes

HEAD = ("recipe", "figure", "bound", "worst", "mean", "baseline", "untrained", "seeds", "seconds a run")


def rows(name: str, seeds: int, quick: bool, overrides: list[str], vary: list[str]) -> Iterator[tuple[str, ...]]:
    """A row for each bounded figure of a recipe."""
    bounds = bounds_of(name, quick)
    if not bounds:
        return
    alone = by_itself(name, quick, overrides)
    figures: list[dict[str, float]] = []
    started = time.perf_counter()
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as folder:
            own = [*overrides, *(f"{key}={seed}" for key in vary)]
            figures.append(zoo.run(name, own, quick=quick, out=Path(folder) / "run")["figures"])
    seconds = (time.perf_counter() - started) / seeds
    for figure, bound in bounds.items():
        ((side, limit),) = bound.items()
        values = [own[figure] for own in figures]
        worst = min(values) if side == "min" else max(values)
        baseline = max if side == "min" else min
        alike = baseline(alone.baselines.get(figure, {}).values(), default=None)
        numbers = (worst, statistics.fmean(values), alike, alone.untrained[figure])
        yield (name, figure, f"{side} {limit}", *map(_shown, numbers), str(seeds), f"{seconds:.0f}")


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="*")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--full", action="store_true", help="the full recipe and its [expect]")
    parser.add_argument("--vary", nargs="*", default=["train.seed"], help="what gets the seeds")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="overrides")
    chosen = parser.parse_args()
    _print(HEAD)
    _print(["---"] * len(HEAD))
    for name in chosen.recipes or shipped_recipes():
        try:
            for row in rows(name, chosen.seeds, not chosen.full, chosen.set, chosen.vary):
                _print(row)
        except InputError as error:
            print(f"{name}: {error}", flush=True)


def _print(row: Any) -> None:
    print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
