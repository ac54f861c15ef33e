from typing import Any

import torch
from PIL import ImageDraw

from zoo import Batch, Losses, Task, class_color, picture_to_tensor, read_picture, tensor_to_picture

Boxes = dict[str, torch.Tensor]


class RCNN(Task):
    """Find objects, with models that are called as torchvision's detectors are and make their own losses.

    A batch has `input`, uint8 (3, H, W) each; `boxes`, (N, 4) each; `labels`, (N,) each, from 0, or -1 for padding.
    """

    metrics = ("mean_average_precision",)
    monitor = "val/map_50"

    def __init__(self, classes: list[str], preprocess: dict[str, Any], show_threshold: float = 0.5) -> None:
        self.classes, self.size, self.show_threshold = classes, preprocess["size"], show_threshold

    def collate(self, samples: list[dict[str, Any]]) -> Batch:
        return {name: [sample[name] for sample in samples] for name in samples[0]}

    def forward(self, model: Any, batch: Batch, *targets: Any) -> Any:
        return model([picture / 255 for picture in batch["input"]], *targets)

    def target(self, batch: Batch) -> list[Boxes]:
        pairs = zip(batch["boxes"], batch["labels"], strict=True)
        return [{"boxes": boxes[labels >= 0], "labels": labels[labels >= 0]} for boxes, labels in pairs]

    def losses(self, model: Any, loss: Any, batch: Batch) -> Losses:
        if not model.training:  # it returns detections, and no losses
            return Losses({}, None, self.outputs(model, batch))
        with self.autocast():
            truths = [{**truth, "labels": truth["labels"] + 1} for truth in self.target(batch)]
            return Losses(self(model, batch, truths), None, None)

    def predict(self, model: Any, batch: Batch, outputs: Any = None) -> list[Boxes]:
        found = super().predict(model, batch, outputs)
        return [{**detections, "labels": detections["labels"] - 1} for detections in found]

    def sample(self, raw: Any) -> dict[str, Any]:
        return {"input": picture_to_tensor(read_picture(raw), self.size)}

    def describe(self, sample: dict[str, Any], prediction: Boxes) -> dict[str, Any]:
        return {"boxes": [{"box": box, "class": self.classes[label]} for box, label in self.shown(prediction)]}

    def draw(self, sample: dict[str, Any], prediction: Boxes, truth: bool = False) -> Any:
        picture = tensor_to_picture(sample["input"])
        for box, label in self.shown(sample if truth else prediction):
            ImageDraw.Draw(picture).rectangle(box, outline=class_color(label))
        return picture

    def shown(self, boxes: dict[str, Any]) -> list[tuple[list[float], int]]:
        good = boxes["scores"] >= self.show_threshold if "scores" in boxes else boxes["labels"] >= 0
        return list(zip(boxes["boxes"][good].tolist(), boxes["labels"][good].tolist(), strict=True))
