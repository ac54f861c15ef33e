"""What a data set promises: samples and batches follow from seeds and places alone."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

from zoo.registry.component import Component
from zoo.testing.building import build
from zoo.testing.verdict import require

SAMPLES = 3


def repeats(dataset: Component) -> None:
    """A sample of a split that is scored is the same each time, one of `train` where the same is drawn."""
    from zoo.training.randomness import seeded

    data, _ = build(dataset)
    for name, split in data.splits.items():
        other_seed = 0 if name == "train" else 1
        for index in range(min(SAMPLES, len(split))):
            with seeded(0):
                first = split[index]
            with seeded(other_seed):
                again = split[index]
            drawn = "with equal seeds" if name == "train" else "and scoring should draw nothing"
            require(equal(first, again), f"sample {index} of `{name}` differs when it is asked for again, {drawn}")


def follows_generators(dataset: Component) -> None:
    """Whatever changes or chooses training batches draws from the generator that it is given, and from nothing else."""
    from zoo.training.randomness import seeded

    data, _ = build(dataset)
    split = data.splits.get("train")
    if split is None:
        return
    for name in ("batching", "transform", "batch_transform"):
        if getattr(split, name, None) is not None:
            with seeded(0):
                first = _batches(dataset, split)
            with seeded(1):
                again = _batches(dataset, split)
            require(equal(first, again), f"equal generators give `{name}` of `train` unequal results")


def _batches(dataset: Component, split: Any) -> list[Any]:
    """Two training batches, as a run has them."""
    import torch

    from zoo.training.batches import make_batches

    batches = make_batches(split, SAMPLES, torch.device("cpu"), _collate_of(dataset), training=True)
    return list(islice(batches.epoch(1), 2))


def _collate_of(dataset: Component) -> Callable[[list[dict[str, Any]]], dict[str, Any]]:
    """How the first task that a data set serves makes batches of samples."""
    from zoo.registry.catalog import Catalog
    from zoo.tasks import Task

    task: Task = build(Catalog().get("task", dataset.tasks[0]))[0] if dataset.tasks else Task()
    return task.collate


def equal(first: Any, second: Any) -> bool:
    """Whether two samples or batches hold the same tensors and values."""
    import torch

    if isinstance(first, torch.Tensor):
        return isinstance(second, torch.Tensor) and torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(equal(value, second[name]) for name, value in first.items())
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(equal, first, second))
    return bool(first == second)
