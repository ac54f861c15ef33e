"""COCO's figures of detections, counted by faster-coco-eval."""

from __future__ import annotations

from typing import Any

import torch
from faster_coco_eval import COCO, COCOeval_faster

Boxes = dict[str, torch.Tensor]


class MeanAveragePrecision:
    """COCO's mean average precision, with pycocotools' figures (Lin et al. 2014, cocodataset.org/#detection-eval).

    `map` is the mean over classes and over IoU 0.5 to 0.95; `map_50` and `map_75` are at one IoU. `mar_1`, `mar_10` and
    `mar_100` are the mean recalls of the best 1, 10 and 100 detections of a class in a picture. `map_small`,
    `map_medium`, `map_large` and `mar_small`, `mar_medium`, `mar_large` are of objects up to 32 x 32 pixels, up to
    96 x 96, and above. A figure that no truth defines, such as `map_small` where no object is small, is left out.

    `update` takes detections and truths, two lists with a dict for each picture. Tensors may be on any device; a
    picture may have neither detections nor objects (N = 0); other keys are ignored. A dict of detections has

    - `boxes` (N, 4): left, top, right and bottom in pixels;
    - `scores` (N,): how sure each one is, in any unit;
    - `labels` (N,): classes as whole numbers.

    A dict of truths has `boxes` and `labels` likewise, in the same pixels, and may have

    - `iscrowd` (N,): 1 for a box around many objects, which costs nothing whether it is detected or not;
    - `area` (N,): what an object's size is judged by, in square pixels, such as its mask's; else its box's is taken.

    `compute` raises a ValueError where a picture has not as many labels or scores as boxes.
    """

    higher_is_better = True
    figures = (
        *("map", "map_50", "map_75", "map_small", "map_medium", "map_large"),
        *("mar_1", "mar_10", "mar_100", "mar_small", "mar_medium", "mar_large"),
    )

    def __init__(self) -> None:
        self.reset()

    def update(self, detections: list[Boxes], truths: list[Boxes]) -> None:
        for detection, truth in zip(detections, truths, strict=True):
            self.detections.append(_columns(detection["boxes"], detection["labels"], score=detection["scores"]))
            known = {name: truth[name] for name in ("area", "iscrowd") if name in truth}
            self.truths.append(_columns(truth["boxes"], truth["labels"], **known))

    def compute(self) -> dict[str, torch.Tensor]:
        """Return the figures (0 to 1) that are defined, by name."""
        labels = sorted({label for truth in self.truths for label in truth["category_id"].tolist()})
        evaluation = COCOeval_faster(_dataset(self.truths, labels), _dataset(self.detections, labels), iouType="bbox")
        evaluation.run()
        figures = zip(self.figures, evaluation.stats, strict=True)
        return {name: torch.tensor(float(value)) for name, value in figures if value != -1}  # -1: no truth defines it

    def reset(self) -> None:
        self.detections: list[Boxes] = []
        self.truths: list[Boxes] = []


def _columns(boxes: torch.Tensor, labels: torch.Tensor, **others: torch.Tensor) -> Boxes:
    """Return a picture's boxes on the CPU and under COCO's names, with `bbox` as left, top, width and height."""
    corners = boxes.cpu().double().reshape(-1, 4)  # pycocotools subtracts and multiplies in fp64, too
    sizes = corners[:, 2:] - corners[:, :2]
    bbox = torch.cat((corners[:, :2], sizes), dim=1)
    others = {name: value.cpu() for name, value in others.items()}
    return {"bbox": bbox, "area": sizes.prod(dim=1), "category_id": labels.cpu(), **others}


def _dataset(pictures: list[Boxes], labels: list[int]) -> COCO:
    """Return pictures, numbered from 0, and all their boxes, numbered from 1: faster-coco-eval takes 0 for no match."""
    annotations: list[dict[str, Any]] = []
    for number, columns in enumerate(pictures):
        for values in zip(*(column.tolist() for column in columns.values()), strict=True):
            row = dict(zip(columns, values, strict=True))
            annotations.append({"id": len(annotations) + 1, "image_id": number, **row})
    images = [{"id": number} for number in range(len(pictures))]
    return COCO({"images": images, "categories": [{"id": label} for label in labels], "annotations": annotations})
