"""Fashion-MNIST: LeNet's training end to end, and the input pipeline alone, against the book's DataLoader loop.

The rival is what Dive into Deep Learning 4.2 and 7.6 do: torchvision's dataset with ToTensor behind a DataLoader,
without workers and with one or two, fp32, and a loss and an accuracy that are read on every step. Both train the same
LeNet with SGD at 0.9 and batches of 256, for whole epochs of the same pictures.

    python -m benchmarks.fashion [--pictures 60000] [--rounds 3]
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import statistics
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader, Subset
from torchvision import datasets, transforms

from benchmarks.side_by_side import median_ratio, print_table, rounds
from zoo import find_data
from zoo.jobs.experiment import Experiment, prepare
from zoo.training.loop import fit
from zoo_vision.fashion_mnist import DEBIAN, FILES, URL
from zoo_vision.lenet import LeNet

BATCH = 256
WORKERS = (0, 1, 2)


def torchvision_s(pictures: int, folder: Path) -> Any:
    """torchvision's dataset of the same files."""
    raw = folder / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for name in FILES:
        source = find_data("fashion-mnist", url=URL, files=FILES, places=[DEBIAN]) / name
        with gzip.open(source) as packed, (raw / name.removesuffix(".gz")).open("wb") as plain:
            shutil.copyfileobj(packed, plain)
    return Subset(datasets.FashionMNIST(folder, transform=transforms.ToTensor()), range(pictures))


def book_epoch(net: nn.Module, loader: Any) -> Callable[[], None]:
    """An epoch as the book writes it."""
    optimizer = torch.optim.SGD(net.parameters(), lr=0.9)
    loss = nn.CrossEntropyLoss()

    def epoch() -> None:
        net.train()
        total, right, count = 0.0, 0.0, 0
        for pictures, labels in loader:
            optimizer.zero_grad()
            outputs = net(pictures)
            value = loss(outputs, labels)
            value.backward()
            optimizer.step()
            with torch.no_grad():
                total += float(value * len(labels))
                right += float((outputs.argmax(dim=1) == labels).sum())
                count += len(labels)

    return epoch


def zoo_experiment(pictures: int) -> Experiment:
    overrides = {"dataset.train_size": pictures, "train.batch_size": BATCH, "train.device": "cpu"}
    return prepare("lenet", overrides)


def zoo_epoch(experiment: Experiment) -> Callable[[], None]:
    """Whole epochs of one endless training."""
    steps: Iterator[Any] = fit(experiment.learner.train(), experiment.batches, experiment.update, steps=10**9)

    def epoch() -> None:
        for _ in range(len(experiment.batches)):
            next(steps)

    return epoch


def emptied(batches: Callable[[], Any]) -> Callable[[], None]:
    """Go through an epoch's batches and do nothing with them."""

    def epoch() -> None:
        for _ in batches():
            pass

    return epoch


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        data = torchvision_s(chosen.pictures, Path(temporary))
        loaders = {
            f"DataLoader, {workers} workers": DataLoader(data, BATCH, shuffle=True, num_workers=workers)
            for workers in WORKERS
        }
        experiment = zoo_experiment(chosen.pictures)
        training = {name: book_epoch(LeNet(10), loader) for name, loader in loaders.items()}
        training["zoo"] = zoo_epoch(experiment)
        _compare("LeNet, end to end", training, chosen.pictures, chosen.rounds)
        loading = {name: emptied(loader.__iter__) for name, loader in loaders.items()}
        loading["zoo"] = emptied(lambda: experiment.batches.epoch(0))
        _compare("input pipeline alone", loading, chosen.pictures, chosen.rounds)


def _compare(title: str, rivals: dict[str, Callable[[], None]], pictures: int, count: int) -> None:
    times = rounds(rivals, count)
    rows = [(title, "pictures/s", "zoo is faster by")]
    for name, seconds in times.items():
        ratio = "" if name == "zoo" else f"{median_ratio(seconds, times['zoo']):.2f}"
        rows.append((name, f"{pictures / statistics.median(seconds):.0f}", ratio))
    print_table(rows)
    print()


if __name__ == "__main__":
    main()
