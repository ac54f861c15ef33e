"""The task `segmentation`: pictures in, the class of every pixel out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.nn import functional as F  # noqa: N812

from zoo import PICTURE_SUFFIXES, Batch, Normalize, Task, picture_to_tensor, read_picture, tensor_to_picture
from zoo_vision.segmentation.drawing import overlay, palette_picture
from zoo_vision.segmentation.masks import VOID


class Segmentation(Task):
    """Classify every pixel, for models that return logits (B, C, H, W), or a dict that has them as `out`.

    A batch has `input`, uint8 (B, 3, H, W) in RGB, and `mask`, (B, H, W), the class of each pixel; 255 is void and
    counts nowhere. Pictures of different sizes are padded with void, and each is then run alone and whole.

    Args:
        mask_classes: names, in the order of the mask's values.
        preprocess: `size` [height, width] that raw pictures are made to fit into, their shape kept; `mean` and `std` of
            red, green and blue, for values from 0 to 1.
    """

    loss = {"name": "cross_entropy", "ignore_index": VOID}  # noqa: RUF012
    metrics = ("mean_iou", "pixel_accuracy")
    monitor = "val/mean_iou"
    suffixes = PICTURE_SUFFIXES

    def __init__(self, mask_classes: list[str], preprocess: dict[str, Any]) -> None:
        super().__init__()
        self.classes = mask_classes
        self.size = preprocess["size"]
        self.normalize = Normalize(preprocess)

    # Training and scoring

    def collate(self, samples: list[dict[str, Any]]) -> Batch:
        """Pad pictures of several sizes at the right and at the bottom; `size` (B, 2) tells what they were."""
        sizes = [tuple(sample["input"].shape[-2:]) for sample in samples]
        height, width = (max(sides) for sides in zip(*sizes, strict=True))
        batch = {"input": torch.stack([_padded(sample["input"], height, width, 0) for sample in samples])}
        if "mask" in samples[0]:
            batch["mask"] = torch.stack([_padded(sample["mask"], height, width, VOID) for sample in samples])
        if len(set(sizes)) > 1:
            batch["size"] = torch.tensor(sizes)
        return batch

    def forward(self, model: Any, batch: Batch) -> torch.Tensor:
        pictures = self.normalize(batch["input"])
        if "size" not in batch:
            return _logits(model(pictures))
        height, width = pictures.shape[-2:]
        alone = [
            _logits(model(picture[None, :, :own_height, :own_width]))
            for picture, (own_height, own_width) in zip(pictures, batch["size"].tolist(), strict=True)
        ]
        return torch.cat([_padded(logits, height, width, 0) for logits in alone])

    def target(self, batch: Batch) -> torch.Tensor:
        return batch["mask"].long()  # type: ignore[no-any-return]

    def predict(self, model: Any, batch: Batch, outputs: torch.Tensor | None = None) -> torch.Tensor:
        """The likeliest class of every pixel, uint8 (B, H, W)."""
        outputs = super().predict(model, batch, outputs)
        return outputs.argmax(dim=1).to(torch.uint8)

    def baselines(self, train: Iterable[Batch]) -> dict[str, Callable[..., Any]]:
        """`majority class`: at every pixel a class is as likely as it is frequent (one pixel of each is added)."""
        size = len(self.classes)
        counts = 1 + sum(batch["mask"][batch["mask"] != VOID].bincount(minlength=size) for batch in train)
        logits = (counts / counts.sum()).log()[:, None, None]
        return {"majority class": lambda inputs: logits.expand(len(inputs), -1, *inputs.shape[-2:])}

    # Raw inputs and what a person sees

    def sample(self, raw: Any) -> dict[str, Any]:
        """A picture's `input`, with its `path` (or itself) and its `original_size` [height, width] once upright."""
        picture = read_picture(raw)
        factor = min(self.size[0] / picture.height, self.size[1] / picture.width)
        size = [max(1, round(side * factor)) for side in (picture.height, picture.width)]
        original = [picture.height, picture.width]
        return {"input": picture_to_tensor(picture, size), "path": raw, "original_size": original}

    def describe(self, sample: dict[str, Any], prediction: torch.Tensor) -> dict[str, Any]:
        """`{"shares": {class: share of the picture}}`, the largest first; classes that are not there are left out."""
        counts = torch.bincount(_own(sample, prediction).flatten().long(), minlength=len(self.classes)).tolist()
        found = sorted(((count, -index) for index, count in enumerate(counts) if count), reverse=True)
        return {"shares": {self.classes[-index]: round(count / sum(counts), 4) for count, index in found}}

    def draw(self, sample: dict[str, Any], prediction: torch.Tensor, truth: bool = False) -> Any:
        """The classes laid over the picture; with `truth`, the picture as it is and beside it the true classes."""
        picture = self._picture(sample)
        if not truth:
            return overlay(picture, self._mask(sample, prediction), self.classes)
        return overlay(picture, self._mask(sample, sample["mask"]), self.classes, beside=True)

    def drawings(self, sample: dict[str, Any], prediction: torch.Tensor) -> dict[str, Any]:
        """Return what `draw` gives, and the mask: a PNG file whose values are the classes, shown in their colours."""
        mask = self._mask(sample, prediction)
        return {"": self.draw(sample, prediction), "mask": palette_picture(mask, self.classes)}

    def difficulty(self, sample: dict[str, Any], prediction: torch.Tensor) -> float:
        """The share of pixels that are wrong, of those that are not void."""
        truth = sample["mask"].cpu()
        wrong = (prediction.cpu() != truth)[truth != VOID]
        return float(wrong.float().mean()) if len(wrong) else 0.0

    def _picture(self, sample: dict[str, Any]) -> Any:
        return read_picture(sample["path"]) if "path" in sample else tensor_to_picture(_own(sample, sample["input"]))

    def _mask(self, sample: dict[str, Any], mask: torch.Tensor) -> torch.Tensor:
        """A mask (H, W) at the size of the picture that the sample was made of."""
        own = _own(sample, mask).cpu()
        size = sample.get("original_size", list(own.shape))
        return F.interpolate(own[None, None].float(), size, mode="nearest-exact")[0, 0].to(torch.uint8)


def _logits(outputs: Any) -> torch.Tensor:
    return outputs["out"] if isinstance(outputs, dict) else outputs  # type: ignore[no-any-return]


def _padded(pixels: torch.Tensor, height: int, width: int, value: int) -> torch.Tensor:
    own_height, own_width = pixels.shape[-2:]
    return F.pad(pixels, (0, width - own_width, 0, height - own_height), value=value)


def _own(sample: dict[str, Any], pixels: torch.Tensor) -> torch.Tensor:
    """Without what a batch padded."""
    height, width = sample["size"].tolist() if "size" in sample else pixels.shape[-2:]
    return pixels[..., :height, :width]
