"""Training examples/s, end to end: a recipe against plain loops, in turns."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from benchmarks.side_by_side import print_table
from zoo.jobs.experiment import prepare
from zoo.training.loop import fit

ROUNDS = 5

# (network, training split, device, workers) -> the examples of each step, for ever
PlainLoop = Callable[[nn.Module, Any, torch.device, int], Iterator[int]]


def compare(recipe: str, overrides: dict[str, Any], plain_loops: dict[str, PlainLoop], target: str) -> None:
    """Print all rates, and of each plain loop the median of its ratio over the rounds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="auto")
    parser.add_argument("--batches", type=int, default=6)
    parser.add_argument("--workers", type=int, default=0, help="of the plain loop's DataLoader")
    chosen = parser.parse_args()
    experiments = [_prepared(recipe, {**overrides, "train.device": chosen.device}) for _ in range(1 + len(plain_loops))]
    experiment, device = experiments[0], experiments[0].device
    split = experiment.data.splits["train"]
    rivals = {"zoo": zoo_loop(experiment)}
    for (name, plain_loop), own in zip(plain_loops.items(), experiments[1:], strict=True):
        plain = own.model.to(memory_format=torch.contiguous_format).train()
        rivals[name] = plain_loop(plain, split, device, chosen.workers)
    rates: dict[str, list[float]] = {name: [] for name in rivals}
    for number in range(ROUNDS + 1):
        for name, steps in rivals.items():
            rate = examples_per_second(steps, chosen.batches, device)
            if number:
                rates[name].append(rate)
    rows = [("loop", f"examples/s on {device}, {experiment.precision}", f"zoo's, of this one's (target {target})")]
    for name, found in rates.items():
        ratio = statistics.median(a / b for a, b in zip(rates["zoo"], found, strict=True))
        rows.append((name, f"{statistics.median(found):.1f}", "" if name == "zoo" else f"{ratio:.2f}"))
    print_table(rows)


def _prepared(recipe: str, overrides: dict[str, Any]) -> Any:
    return prepare(recipe, overrides)


def zoo_loop(experiment: Any) -> Iterator[int]:
    steps = fit(experiment.learner.train(), experiment.batches, experiment.update, steps=10**9)
    return (step.examples for step in steps)


def examples_per_second(steps: Iterator[int], batches: int, device: torch.device) -> float:
    before = time.perf_counter()
    examples = sum(next(steps) for _ in range(batches))
    if device.type == "cuda":
        torch.cuda.synchronize()
    return examples / (time.perf_counter() - before)
