"""Do tuned values age? A sweep on Fashion-MNIST, its trials scored again on test pictures that have shifted (notes 16).

For every shift: the trial that was best before, its place among all, what the best one there has more, and Spearman's
rank correlation of all trials before and after.

    zoo sweep search --out runs/search && python -m experiments.drift runs/search
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import torch
from scipy import stats
from torch.nn import functional as F  # noqa: N812

import zoo
from experiments.tables import print_markdown, trials
from zoo_vision.fashion_mnist import fashion_mnist


def main(folder: Path) -> None:
    test = fashion_mnist(val_size=0.0).splits["test"].tensors
    runs = [zoo.load(folder / f"trial-{trial['number']:04d}") for trial in trials(folder)]
    before = [_accuracy(run, test["input"], test["label"]) for run in runs]
    best = max(range(len(runs)), key=before.__getitem__)
    rows = []
    for name, shift in SHIFTS.items():
        pictures = shift(test["input"].float()).round().clamp(0, 255).to(torch.uint8)
        after = [_accuracy(run, pictures, test["label"]) for run in runs]
        place = 1 + sum(value > after[best] for value in after)
        correlation = stats.spearmanr(before, after).statistic
        rows.append(
            [
                name,
                f"{after[best]:.3f}",
                f"{place} of {len(runs)}",
                f"{max(after) - after[best]:.3f}",
                f"{correlation:.2f}",
            ]
        )
    print_markdown(["test pictures", "best trial's accuracy", "its place", "behind the best", "rank correlation"], rows)


@torch.inference_mode()
def _accuracy(run: zoo.RunFolder, pictures: torch.Tensor, labels: torch.Tensor) -> float:
    logits = run.task.forward(run.model, {"input": pictures, "label": labels})
    return float((logits.argmax(dim=1) == labels).float().mean())


def _noisy(pictures: torch.Tensor) -> torch.Tensor:
    return pictures + 40 * torch.randn(pictures.shape, generator=torch.Generator().manual_seed(0))


SHIFTS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "as they were": lambda pictures: pictures,
    "darker, 0.7 of the light": lambda pictures: 0.7 * pictures,
    "noise of 40 of 255": _noisy,
    "moved by one pixel": lambda pictures: pictures.roll(1, dims=-1),
    "moved by two pixels": lambda pictures: pictures.roll(2, dims=-1),
    "blurred, 3x3": lambda pictures: F.avg_pool2d(pictures, 3, stride=1, padding=1),
    "mirrored": lambda pictures: pictures.flip(-1),
}

if __name__ == "__main__":
    main(Path(sys.argv[1]))
