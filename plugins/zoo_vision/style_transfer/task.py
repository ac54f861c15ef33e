"""The task `style_transfer`: a picture is trained to have the shapes of one photograph and the look of another."""

from __future__ import annotations

from typing import Any

import torch
from PIL import Image

from zoo import Batch, InputError, Task, tensor_to_picture

STRIP = 320  # pixels: height of the strip of stages
GAP = 8


class StyleTransferTask(Task):
    """Train a picture, for the model `style_transfer`.

    A batch has one `content` and one `style`, uint8 (1, 3, H, W) each. The run keeps the picture as
    `pictures/picture.png` and its stages, between content and style, as `pictures/stages.png`.
    """

    loss = "style_transfer"
    monitor = "val/loss"

    # Training and scoring

    def forward(self, model: Any, batch: Batch) -> dict[str, Any]:
        return model(batch["content"], batch["style"])  # type: ignore[no-any-return]

    def target(self, batch: Batch) -> None:
        """None: what the picture is compared with is among the outputs."""

    def predict(self, model: Any, batch: Batch, outputs: dict[str, Any] | None = None) -> torch.Tensor:
        """The picture, uint8 (1, 3, h, w)."""
        return _shown(super().predict(model, batch, outputs)["picture"])

    # What a person sees

    def sample(self, raw: str) -> dict[str, Any]:
        raise InputError(
            "a style transfer has trained one picture, and its run has it: pictures/picture.png",
            f"for another: zoo run style_transfer dataset.content={raw}",
        )

    def draw(self, sample: dict[str, Any], prediction: torch.Tensor, truth: bool = False) -> Any:
        """The picture; with `truth`, content and style."""
        if not truth:
            return tensor_to_picture(prediction)
        return _row([tensor_to_picture(sample[name]) for name in ("content", "style")], prediction.shape[-2])

    def pictures(self, model: Any, batch: Batch) -> dict[str, Any]:
        stages = [tensor_to_picture(_shown(picture)[0]) for picture in model.pictures[: model.stage + 1]]
        content, style = (tensor_to_picture(batch[name][0]) for name in ("content", "style"))
        return {"picture": stages[-1], "stages": _row([content, *stages, style], STRIP)}


def _shown(picture: torch.Tensor) -> torch.Tensor:
    return (picture.detach().float().clamp(0, 1) * 255).round().to(torch.uint8)


def _row(pictures: list[Image.Image], height: int) -> Image.Image:
    """Pictures brought to one height, side by side on white."""
    scaled = []
    for picture in pictures:
        width = max(1, round(picture.width * height / picture.height))
        scaled.append(picture.resize((width, height), Image.Resampling.LANCZOS))
    row = Image.new("RGB", (sum(picture.width for picture in scaled) + GAP * (len(scaled) - 1), height), "white")
    left = 0
    for picture in scaled:
        row.paste(picture, (left, 0))
        left += picture.width + GAP
    return row
