"""Training samples as a model sees them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from zoo import Batch, InputError, Task, prepare, sample_of

GAP = 6  # pixels between samples


def draw_samples(recipe: str, overrides: Iterable[str], quick: bool, count: int) -> Any:
    """Return the first samples of the first epoch, as the task draws their truth, in a grid: a PIL image.

    Raises:
        InputError: the recipe is wrong, or its samples are nothing to look at.
    """
    experiment = prepare(recipe, [*overrides, "train.device=cpu", "train.workers=0"], quick=quick)
    task, batches = experiment.task, experiment.batches.epoch(0)
    images = [task.draw(sample, None, truth=True) for sample in islice(_samples(task, batches), count)]
    if any(image is None for image in images):
        raise InputError(f"the task `{type(task).__name__}` has no picture of a sample of this dataset")
    return _grid(images)


def _samples(task: Task, batches: Iterable[Batch]) -> Iterator[dict[str, Any]]:
    for batch in batches:
        for index in range(task.batch_size(batch)):
            yield sample_of(batch, index)


def _grid(images: list[Any]) -> Any:
    """Return PIL images in rows, about twice as many across as down, on white."""
    from PIL import Image

    across = min(len(images), math.ceil(math.sqrt(2 * len(images))))
    width, height = (max(side) + GAP for side in zip(*(image.size for image in images), strict=True))
    sheet = Image.new("RGB", (across * width, -(-len(images) // across) * height), "white")
    for number, image in enumerate(images):
        sheet.paste(image, (number % across * width, number // across * height))
    return sheet
