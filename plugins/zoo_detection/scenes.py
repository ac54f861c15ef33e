"""The data set `scenes`: things drawn from code on photographs. No download is needed.

One to four fish, mugs and mushrooms a picture, among balls, boxes, rings and other things that are no objects; each is
turned, scaled and lit, and hides part of another or is partly hidden. A picture is a function of (seed, split, index).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import reduce
from importlib import resources
from random import Random
from typing import Annotated

import numpy as np
import torch
from annotated_types import Ge
from PIL import Image

from zoo import Batch, Data, RunFailed, TensorSplit, cached_tensors
from zoo_detection.augment import BatchAugment
from zoo_detection.scene_drawing import DISTRACTORS, OBJECTS, Cutout, cut_out
from zoo_detection.zoom import BatchZoom

VERSION = 2  # of the pictures: a change to what is drawn needs a new number, or old caches would be used
CLASSES = list(OBJECTS)
MOST_OBJECTS = 4
LEAST_VISIBLE = 0.6  # of a thing's area: what is hidden further can hardly be told from the rest
OBJECT_SIDE, DISTRACTOR_SIDE = (0.28, 0.5), (0.1, 0.35)  # shares of the picture's side
DISTRACTORS_EACH = (1, 3)
EDGE = 0.42  # of a thing's side: how near to the picture's edge its middle may come
TRIES = 12
LARGEST = 640  # pixels a side that a photograph keeps: crops of larger ones take longest to resize

# Photographs that lie in scikit-image's wheel; others would be downloaded. coffee.png shows a mug, which has no box.
PHOTOGRAPHS = {
    "train": (
        "astronaut.png",
        "brick.png",
        "cell.png",
        "coins.png",
        "gravel.png",
        "hubble_deep_field.jpg",
        "ihc.png",
        "moon.png",
        "motorcycle_left.png",
        "page.png",
        "retina.jpg",
    ),
    "val": ("camera.png", "chelsea.png", "grass.png", "rocket.jpg"),
}


def scenes(
    seed: int = 0, train_size: int = 1000, val_size: int = 200, size: int = 256, zoom: Annotated[float, Ge(1)] = 1.0
) -> Data:
    """Fish, mugs and mushrooms on photographs, with boxes and masks of what can be seen of them.

    Samples have `input` uint8 (3, size, size); `boxes` float32 (4, 4), corners in pixels, tight around the visible
    pixels; `labels` int64 (4,), -1 where there is no object; and `mask` uint8 (size, size), the class + 1 of the object
    that a pixel shows, 0 for background. Training pictures are augmented in batches, see `BatchAugment`.

    Args:
        seed: of the pictures; not the seed of the training.
        train_size: pictures in `train`.
        val_size: pictures in `val`, on photographs that `train` never shows.
        size: side of the pictures, in pixels.
        zoom: training pictures are brought nearer or moved away by up to this factor, and turned; see `BatchZoom`. It
            takes longer to learn from, and ends better.
    """

    def drawn(split: str, count: int) -> Batch:
        key = f"scenes-v{VERSION}-{split}-seed{seed}-{count}x{size}"
        return cached_tensors(key, lambda: draw_scenes(seed, split, count, size))

    recolour = BatchAugment(upside_down=True)  # the things are turned any way as it is
    changes = [BatchZoom(zoom), recolour] if zoom > 1 else [recolour]

    def augment(batch: Batch, generator: torch.Generator) -> Batch:
        return reduce(lambda changed, change: change(changed, generator), changes, batch)

    return Data(
        splits={
            "train": TensorSplit(transform=augment, **drawn("train", train_size)),
            "val": TensorSplit(**drawn("val", val_size)),
        },
        facts={"num_classes": len(CLASSES), "num_mask_classes": 1 + len(CLASSES), "input_size": [size, size]},
        assets={
            "classes": CLASSES,
            "mask_classes": ["background", *CLASSES],
            "preprocess": {"size": [size, size], "mean": [0.42, 0.36, 0.35], "std": [0.23, 0.22, 0.22]},
        },
    )


def draw_scenes(seed: int, split: str, count: int, size: int) -> dict[str, torch.Tensor]:
    """The first `count` pictures of a split as tensors: see `scenes`."""
    photographs = [_photograph(name) for name in PHOTOGRAPHS[split]]
    pictures = np.empty((count, size, size, 3), np.uint8)
    boxes = np.zeros((count, MOST_OBJECTS, 4), np.float32)
    labels = np.full((count, MOST_OBJECTS), -1, np.int64)
    masks = np.empty((count, size, size), np.uint8)
    for index in range(count):
        scene = _draw(Random(f"{seed} {split} {index}"), photographs, size)
        pictures[index] = np.asarray(scene.picture)
        masks[index] = scene.mask()
        for place, (number, label) in enumerate(scene.labels.items()):
            boxes[index, place] = scene.box(number)
            labels[index, place] = label
    return {
        "input": torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous(),
        "boxes": torch.from_numpy(boxes),
        "labels": torch.from_numpy(labels),
        "mask": torch.from_numpy(masks),
    }


@dataclass
class Scene:
    """A picture in the making, and what can be seen of the things on it.

    Attributes:
        owner: (size, size), the number of the thing that a pixel shows, 0 for the photograph.
        labels: class of each object, by number.
        areas: pixels that a thing would show if it were whole, by number.
        seen: pixels that it does show.
    """

    picture: Image.Image
    owner: np.ndarray
    labels: dict[int, int] = field(default_factory=dict)
    areas: list[int] = field(default_factory=lambda: [0])
    seen: list[int] = field(default_factory=lambda: [0])

    def place(self, thing: Cutout, left: int, top: int, label: int | None) -> bool:
        """Paste a thing, unless too little of it or of an object below could be seen."""
        window, solid = self._inside(thing.solid, left, top)
        area, shown = (int(np.count_nonzero(pixels)) for pixels in (thing.solid, solid))
        covered = np.bincount(self.owner[window][solid], minlength=len(self.areas)).tolist()
        left_over = [seen - lost for seen, lost in zip(self.seen, covered, strict=True)]
        if shown < LEAST_VISIBLE * area or any(left_over[n] < LEAST_VISIBLE * self.areas[n] for n in self.labels):
            return False
        number = len(self.areas)
        self.owner[window][solid] = number
        self.areas.append(area)
        self.seen = [*left_over, shown]
        if label is not None:
            self.labels[number] = label
        self.picture.paste((10, 10, 16), (left, top), thing.shadow)
        self.picture.paste(thing.picture, (left, top), thing.mask)
        return True

    def box(self, number: int) -> tuple[int, int, int, int]:
        """Corners around a thing's visible pixels."""
        seen = self.owner == number
        rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
        return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1

    def mask(self) -> np.ndarray:
        """(size, size): class + 1 of the object at a pixel, 0 elsewhere."""
        classes = [self.labels.get(number, -1) + 1 for number in range(len(self.areas))]
        shown: np.ndarray = np.array(classes, np.uint8)[self.owner]
        return shown

    def _inside(self, solid: np.ndarray, left: int, top: int) -> tuple[tuple[slice, slice], np.ndarray]:
        """The part of a thing that falls on the picture: where, and its pixels."""
        height, width = self.owner.shape
        bottom, right = min(height, top + solid.shape[0]), min(width, left + solid.shape[1])
        window = slice(max(0, top), bottom), slice(max(0, left), right)
        return window, solid[window[0].start - top : bottom - top, window[1].start - left : right - left]


def _draw(random: Random, photographs: list[Image.Image], size: int) -> Scene:
    scene = Scene(_background(random, photographs, size), np.zeros((size, size), np.uint8))
    angle = random.uniform(0, 2 * math.pi)
    light = math.cos(angle), math.sin(angle)
    things: list[int | None] = [random.randrange(len(CLASSES)) for _ in range(random.randrange(1, MOST_OBJECTS + 1))]
    things += [None] * random.randint(*DISTRACTORS_EACH)
    random.shuffle(things)
    for label in things:
        drawing = OBJECTS[CLASSES[label]] if label is not None else random.choice(DISTRACTORS)
        side = size * random.uniform(*(DISTRACTOR_SIDE if label is None else OBJECT_SIDE))
        thing = cut_out(drawing(random), side, random.uniform(0, 2 * math.pi), light, random.uniform(0, 0.25))
        for _ in range(TRIES):
            left, top = (round(random.uniform(EDGE * side, size - EDGE * side)) - len(thing.solid) // 2 for _ in "xy")
            if scene.place(thing, left, top, label):
                break
    return scene


def _background(random: Random, photographs: list[Image.Image], size: int) -> Image.Image:
    """A square crop of a photograph, mirrored, turned and tinted."""
    photograph = random.choice(photographs)
    side = random.uniform(0.45, 1.0) * min(photograph.size)
    left, top = (random.uniform(0, whole - side) for whole in photograph.size)
    crop = photograph.resize((size, size), Image.Resampling.BILINEAR, (left, top, left + side, top + side))
    if random.random() < 0.5:
        crop = crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    gains = [random.uniform(0.6, 1.0) for _ in "rgb"]
    return crop.point([int(gain * value) for gain in gains for value in range(256)])


def _photograph(name: str) -> Image.Image:
    # Read as files: skimage.data's functions would go to the network for one that is missing.
    file = resources.files("skimage.data") / name
    if not file.is_file():
        raise RunFailed(f"this version of scikit-image comes without the photograph {name} that `scenes` needs")
    with file.open("rb") as opened:
        photograph = Image.open(opened).convert("RGB")
    photograph.thumbnail((LARGEST, LARGEST))
    return photograph
