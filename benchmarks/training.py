"""Training examples/s, end to end: a recipe against a plain loop of the same network, in turns."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from benchmarks.side_by_side import print_table
from zoo.catalog import Catalog
from zoo.fit import fit
from zoo.jobs.experiment import prepare
from zoo.recipe import find_recipe, load_recipe, shipped_recipes

ROUNDS = 5

# (network, training split, device, workers) -> the examples of each step, for ever
PlainLoop = Callable[[nn.Module, Any, torch.device, int], Iterator[int]]


def compare(recipe: str, overrides: dict[str, Any], plain_loop: PlainLoop, target: str) -> None:
    """Print both rates, and the median of their ratio over the rounds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="auto")
    parser.add_argument("--batches", type=int, default=6)
    parser.add_argument("--workers", type=int, default=0, help="of the plain loop's DataLoader")
    chosen = parser.parse_args()
    experiments = [_prepared(recipe, {**overrides, "train.device": chosen.device}) for _ in range(2)]
    experiment, device = experiments[0], experiments[0].device
    plain = experiments[1].model.to(memory_format=torch.contiguous_format).train()
    rivals = {
        "plain fp32 loop": plain_loop(plain, experiment.data.splits["train"], device, chosen.workers),
        "zoo": zoo_loop(experiment),
    }
    rates: dict[str, list[float]] = {name: [] for name in rivals}
    for number in range(ROUNDS + 1):
        for name, steps in rivals.items():
            rate = examples_per_second(steps, chosen.batches, device)
            if number:
                rates[name].append(rate)
    ratio = statistics.median(a / b for a, b in zip(rates["zoo"], rates["plain fp32 loop"], strict=True))
    print_table(
        [
            ("loop", f"examples/s on {device}, {experiment.precision}"),
            *((name, f"{statistics.median(found):.1f}") for name, found in rates.items()),
            ("ratio", f"{ratio:.2f}  (target {target})"),
        ]
    )


def _prepared(recipe: str, overrides: dict[str, Any]) -> Any:
    shipped = shipped_recipes()
    loaded = load_recipe(find_recipe(recipe, shipped), overrides, shipped=shipped)
    return prepare(loaded, Catalog())


def zoo_loop(experiment: Any) -> Iterator[int]:
    experiment.model.train()
    scoring = experiment.scoring
    steps = fit(
        experiment.model,
        scoring.task,
        scoring.loss,
        experiment.batches,
        experiment.update,
        steps=10**9,
        autocast=scoring.autocast,
    )
    return (step.examples for step in steps)


def examples_per_second(steps: Iterator[int], batches: int, device: torch.device) -> float:
    before = time.perf_counter()
    examples = sum(next(steps) for _ in range(batches))
    if device.type == "cuda":
        torch.cuda.synchronize()
    return examples / (time.perf_counter() - before)
