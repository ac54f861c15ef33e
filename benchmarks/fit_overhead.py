"""What `fit` adds to a hand-written PyTorch step that does the same work.

A 64-64-10 perceptron, batches of 64, SGD, one thread. The rival shuffles and indexes tensors in memory, as `fit`'s
batches do. The training job's own body (logging at its defaults) is timed too.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

import torch
from torch import nn

from benchmarks.side_by_side import print_table
from zoo import Task, TensorSplit
from zoo.jobs.progress import Progress
from zoo.training.batches import make_batches
from zoo.training.lean_torch import keep_dynamo_out
from zoo.training.learner import Learner
from zoo.training.loop import Update, fit

SAMPLES, BATCH, STEPS, ROUNDS = 64 * 100, 64, 1000, 15
LOG_EVERY = 50


class Classification(Task):
    """The same as the plugin's, without pictures."""

    def target(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        return batch["label"]


def model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


def by_hand(x: torch.Tensor, y: torch.Tensor) -> Iterator[None]:
    net, loss = model(), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    generator = torch.Generator().manual_seed(0)
    while True:
        order = torch.randperm(len(x), generator=generator)
        for start in range(0, len(x), BATCH):
            chosen = order[start : start + BATCH]
            optimizer.zero_grad()
            loss(net(x[chosen]), y[chosen]).backward()
            optimizer.step()
            yield


def by_fit(x: torch.Tensor, y: torch.Tensor) -> Iterator[None]:
    net = model()
    task, device = Classification(), torch.device("cpu")
    batches = make_batches(TensorSplit(input=x, label=y), BATCH, device, task.collate, training=True)
    update = Update(torch.optim.SGD(net.parameters(), lr=0.1))
    progress = Progress()
    for step in fit(Learner(net, task, nn.CrossEntropyLoss()), batches, update, steps=10**9):
        progress.add(step)
        if step.number % LOG_EVERY == 0:
            progress.take_window(100)
        progress.seconds = time.monotonic()
        yield


def microseconds(steps: Iterator[None]) -> float:
    before = time.perf_counter()
    for _ in range(STEPS):
        next(steps)
    return (time.perf_counter() - before) / STEPS * 1e6


def main() -> None:
    keep_dynamo_out()
    torch.set_num_threads(1)
    x, y = torch.randn(SAMPLES, 64), torch.randint(10, (SAMPLES,))
    hand, ours = by_hand(x, y), by_fit(x, y)
    microseconds(hand), microseconds(ours)
    times = [(microseconds(hand), microseconds(ours)) for _ in range(ROUNDS)]
    added = statistics.median(b - a for a, b in times)
    print_table(
        [
            ("step", "microseconds (median)"),
            ("by hand", f"{statistics.median(a for a, _ in times):.1f}"),
            ("fit, with logging", f"{statistics.median(b for _, b in times):.1f}"),
            ("added", f"{added:.1f}  (target: 15)"),
        ]
    )


if __name__ == "__main__":
    main()
