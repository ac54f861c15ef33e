"""Random detections and truths for metrics, and their figures as plain numbers."""

from __future__ import annotations

from typing import Any

import torch

Pictures = list[dict[str, torch.Tensor]]


def random_pictures(seed: int, pictures: int = 8, classes: int = 3) -> tuple[Pictures, Pictures]:
    """Truths, and detections that are truths moved a little, some of another class, some left out, and noise."""
    random = torch.Generator().manual_seed(seed)
    detections, truths = [], []
    for _ in range(pictures):
        count = int(torch.randint(0, 6, (1,), generator=random))
        corner = torch.rand(count, 2, generator=random) * 180
        boxes = torch.cat((corner, corner + 4 + torch.rand(count, 2, generator=random) * 150), dim=1)
        labels = torch.randint(0, classes, (count,), generator=random)
        truths.append({"boxes": boxes, "labels": labels})

        moved = boxes + torch.randn(count, 4, generator=random) * 6
        twice = boxes + torch.randn(count, 4, generator=random) * 20
        noise = torch.rand(3, 4, generator=random) * 60 + torch.tensor([0, 0, 80, 80])
        kept = torch.rand(2 * count + 3, generator=random) > 0.2
        guessed = torch.cat((labels, labels, torch.randint(0, classes, (3,), generator=random)))
        other = torch.rand(len(guessed), generator=random) > 0.9
        guessed = torch.where(other, (guessed + 1) % classes, guessed)
        detections.append(
            {
                "boxes": torch.cat((moved, twice, noise))[kept],
                "scores": torch.rand(len(guessed), generator=random)[kept],
                "labels": guessed[kept],
            }
        )
    return detections, truths


def figures_of(metric: Any) -> dict[str, float]:
    value = metric.compute()
    return {name: float(figure) for name, figure in (value if isinstance(value, dict) else {"it": value}).items()}
