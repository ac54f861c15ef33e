"""The task `detection`: pictures in, boxes with classes and scores out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.nn.utils.rnn import pad_sequence

from zoo import PICTURE_SUFFIXES, Batch, Normalize, Task, picture_to_tensor, read_picture, tensor_to_picture
from zoo_detection.decoding import Detections, detect
from zoo_detection.drawing import draw_boxes
from zoo_detection.metrics import right_detections


class Detection(Task):
    """Find the objects in pictures, for models that return `anchors`, `logits` and `offsets` as `TinySSD` does.

    A batch has `input`, uint8 (B, 3, H, W) in RGB; `boxes` (B, M, 4), corners in pixels of the input; and `labels`
    (B, M), the class from 0, or -1 for padding.

    Args:
        classes: names, in the order of the labels.
        preprocess: `size` [height, width] that pictures are resized to, and `mean` and `std` of red, green and blue,
            for values in 0..1.
        score_threshold: detections that score no more are dropped. Low, since average precision looks at all of them.
        iou_threshold: of boxes of one class that overlap by more than this, only the best is kept.
        candidates: the best scores of a picture that are looked at.
        max_detections: the most that are kept.
        show_threshold: score from which a detection is shown to a person.
    """

    loss = "multibox"
    metrics = ("mean_average_precision",)
    monitor = "val/map_50"
    suffixes = PICTURE_SUFFIXES

    def __init__(
        self,
        classes: list[str],
        preprocess: dict[str, Any],
        score_threshold: float = 0.01,
        iou_threshold: float = 0.5,
        candidates: int = 400,
        max_detections: int = 100,
        show_threshold: float = 0.5,
    ) -> None:
        super().__init__()
        self.classes = classes
        self.size = preprocess["size"]
        self.normalize = Normalize(preprocess)
        self.score_threshold = score_threshold
        self.iou_threshold = iou_threshold
        self.candidates = candidates
        self.max_detections = max_detections
        self.show_threshold = show_threshold

    # Training and scoring

    def collate(self, samples: list[dict[str, Any]]) -> Batch:
        """Boxes are padded to the most that a picture has. What is neither picture, box nor label is left out."""
        batch = {"input": torch.stack([sample["input"] for sample in samples])}
        if "boxes" in samples[0]:
            batch["boxes"] = pad_sequence([sample["boxes"] for sample in samples], batch_first=True)
            labels = [sample["labels"] for sample in samples]
            batch["labels"] = pad_sequence(labels, batch_first=True, padding_value=-1)
        return batch

    def forward(self, model: Any, batch: Batch) -> Any:
        return model(self.normalize(batch["input"]))

    def target(self, batch: Batch) -> dict[str, torch.Tensor]:
        """Return what `multibox` compares with: `boxes` as shares of the picture, 0 to 1, and `labels`."""
        height, width = batch["input"].shape[-2:]
        boxes = batch["boxes"]
        shares = torch.stack((boxes[..., 0::2] / width, boxes[..., 1::2] / height), dim=-1).flatten(-2)
        return {"boxes": shares, "labels": batch["labels"]}

    def predict(self, model: Any, batch: Batch, outputs: Any = None) -> list[Detections]:
        """A dict for each picture: `boxes` (N, 4), corners in pixels of the input; `scores`, best first; `labels`."""
        height, width = batch["input"].shape[-2:]
        return detect(
            super().predict(model, batch, outputs),
            (height, width),
            score_threshold=self.score_threshold,
            iou_threshold=self.iou_threshold,
            candidates=self.candidates,
            max_detections=self.max_detections,
        )

    def update(self, name: str, metric: Any, model: Any, batch: Batch, outputs: Any, predictions: Any) -> None:
        """Metrics are given detections and truths as torchmetrics has them; or outputs and the loss's target."""
        if getattr(metric, "takes_outputs", False):
            metric.update(outputs, self.target(batch))
        else:
            metric.update(predictions, [_truth(*pair) for pair in zip(batch["boxes"], batch["labels"], strict=True)])

    def baselines(self, train: Iterable[Batch]) -> dict[str, Callable[..., Any]]:
        """`mean box`: in every picture one object of each class, where the class is on average.

        It is certain of that, so it has no finite loss wherever a class is missing.
        """
        targets = [self.target(batch) for batch in train]
        boxes, labels = (torch.cat([target[name].flatten(0, 1) for target in targets]) for name in ("boxes", "labels"))
        classes = sorted(set(labels[labels >= 0].tolist()))
        corners = torch.stack([boxes[labels == label].mean(dim=0) for label in classes])
        start, end = corners[:, :2], corners[:, 2:]
        logits = corners.new_full((1, len(classes), len(self.classes) + 1), -torch.inf)
        logits[0, range(len(classes)), [label + 1 for label in classes]] = 0
        answer = {"logits": logits, "offsets": torch.zeros_like(corners)[None]}
        return {
            "mean box": lambda pictures: {
                "anchors": torch.cat(((start + end) / 2, end - start), dim=1),
                **{name: value.expand(len(pictures), -1, -1) for name, value in answer.items()},
            }
        }

    # Raw inputs and what a person sees

    def sample(self, raw: Any) -> dict[str, Any]:
        """A picture's `input`, with its `path` (or itself) and its `original_size` [height, width] once upright."""
        picture = read_picture(raw)
        return {
            "input": picture_to_tensor(picture, self.size),
            "path": raw,
            "original_size": [picture.height, picture.width],
        }

    def describe(self, sample: dict[str, Any], prediction: Detections) -> dict[str, Any]:
        """`{"boxes": [{"box": [left, top, right, bottom], "class": name, "score": score}, ...]}`, best first.

        Boxes are in pixels of the picture file, or of the input where the sample comes from a dataset.
        """
        shown = self._shown(prediction)
        boxes = _in_original(sample, shown["boxes"])
        return {
            "boxes": [
                {"box": [round(side, 1) for side in box], "class": self.classes[label], "score": round(score, 4)}
                for box, label, score in zip(boxes, shown["labels"].tolist(), shown["scores"].tolist(), strict=True)
            ]
        }

    def draw(self, sample: dict[str, Any], prediction: Detections, truth: bool = False) -> Any:
        shown = _truth(sample["boxes"], sample["labels"]) if truth else self._shown(prediction)
        labels = shown["labels"].tolist()
        captions = [self.classes[label] for label in labels]
        if not truth:
            scores = shown["scores"].tolist()
            captions = [f"{name} {score:.0%}" for name, score in zip(captions, scores, strict=True)]
        picture = read_picture(sample["path"]) if "original_size" in sample else tensor_to_picture(sample["input"])
        return draw_boxes(picture, _in_original(sample, shown["boxes"]), captions, labels)

    def difficulty(self, sample: dict[str, Any], prediction: Detections) -> float:
        """1 - F1 of the detections that would be shown, at IoU 0.5; 0 where there is nothing, and nothing is found."""
        shown = {name: value.cpu() for name, value in self._shown(prediction).items()}
        truth = _truth(sample["boxes"].cpu(), sample["labels"].cpu())
        boxes = len(shown["labels"]) + len(truth["labels"])
        right = int(right_detections(shown, truth, 0.5).sum())
        return 1 - 2 * right / boxes if boxes else 0.0

    def _shown(self, prediction: Detections) -> Detections:
        good = prediction["scores"] >= self.show_threshold
        return {name: value[good] for name, value in prediction.items()}


def _truth(boxes: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
    """A picture's objects without padding."""
    real = labels >= 0
    return {"boxes": boxes[real], "labels": labels[real]}


def _in_original(sample: dict[str, Any], boxes: torch.Tensor) -> list[list[float]]:
    """Boxes in pixels of the sample's input -> in pixels of the picture that it was made from."""
    input_height, input_width = sample["input"].shape[-2:]
    height, width = sample.get("original_size", (input_height, input_width))
    across, down = width / input_width, height / input_height
    scaled: list[list[float]] = (boxes.cpu() * torch.tensor([across, down, across, down])).tolist()
    return scaled
