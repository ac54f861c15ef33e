"""The plain tasks: a class, or numbers, for each input. Inputs are pictures or vectors."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from zoo import PICTURE_SUFFIXES, Batch, InputError, Normalize, Task, picture_to_tensor, read_picture
from zoo_basics.caption import captioned

TOP = 5


class _Plain(Task):
    """The part that both tasks share: how an input reaches the model.

    A batch's `input` that is uint8 holds pictures (B, C, H, W), which become floats of the assets' size on the device;
    other inputs are given to the model as they are.
    """

    def __init__(self, preprocess: dict[str, Any] | None = None) -> None:
        super().__init__()
        self.preprocess = preprocess or {}
        self.normalize = Normalize(self.preprocess)
        self.suffixes = PICTURE_SUFFIXES if "size" in self.preprocess else ()

    def forward(self, model: Any, batch: Batch) -> Any:
        inputs = batch["input"]
        return model(self._as_floats(inputs) if inputs.dtype == torch.uint8 else inputs)

    def variants(self, batch: Batch) -> list[Batch]:
        """Pictures, and their mirror images."""
        inputs = batch["input"]
        return [batch, {**batch, "input": inputs.flip(-1)}] if inputs.dtype == torch.uint8 else [batch]

    def _as_floats(self, pictures: Tensor) -> Tensor:
        floats: Tensor = self.normalize(pictures)
        size = self.preprocess.get("size", floats.shape[-2:])
        if list(floats.shape[-2:]) == list(size):
            return floats
        smaller = floats.shape[-2] > size[0] or floats.shape[-1] > size[1]
        return F.interpolate(floats, tuple(size), mode="bilinear", align_corners=False, antialias=smaller)

    def sample(self, raw: Any) -> dict[str, Any]:
        """A picture where the assets have a picture size, else numbers: `1.5, 2` or `[1.5, 2]`."""
        if "size" in self.preprocess:
            channels = len(self.preprocess.get("mean", "rgb"))
            return {"input": picture_to_tensor(read_picture(raw), self.preprocess["size"], channels)}
        return {"input": _numbers(raw)}


class Classification(_Plain):
    """One class for each input: the loss gets logits (B, C) and `label` (B,); predictions are probabilities.

    Args:
        classes: names by index, from the assets; without them a class is shown as its number.
        preprocess: `size` [H, W], `mean` and `std` (of values from 0 to 1) of pictures, from the assets.
    """

    loss = "cross_entropy"
    metrics = ("accuracy",)
    monitor = "val/accuracy"

    def __init__(self, classes: list[str] | None = None, preprocess: dict[str, Any] | None = None) -> None:
        super().__init__(preprocess)
        self.classes = classes

    def target(self, batch: Batch) -> Any:
        return batch["label"]

    def predict(self, model: Any, batch: Batch, outputs: Tensor | None = None) -> Tensor:
        probabilities: Tensor = super().predict(model, batch, outputs).softmax(dim=1)
        return probabilities

    def baselines(self, train: Iterable[Batch]) -> dict[str, Callable[..., Any]]:
        """`majority class`: every class is as likely as it is frequent (one sample of each is added)."""
        labels = torch.cat([batch["label"] for batch in train])
        counts = labels.bincount(minlength=len(self.classes or ())) + 1
        logits = (counts / counts.sum()).log()
        return {"majority class": lambda inputs: logits.expand(len(inputs), -1)}

    def describe(self, sample: dict[str, Any], prediction: Tensor) -> dict[str, Any]:
        """The likeliest class and its probability, and the first five."""
        values, indices = prediction.topk(min(TOP, len(prediction)))
        top = [
            {"class": self._name(index), "probability": round(value, 6)}
            for value, index in zip(values.tolist(), indices.tolist(), strict=True)
        ]
        return {**top[0], "top": top}

    def answer(self, prediction: Tensor) -> str | float:
        """The likeliest class."""
        return self._name(int(prediction.argmax()))

    def draw(self, sample: dict[str, Any], prediction: Tensor, truth: bool = False) -> Any | None:
        """The picture with its class below, red where the sample's label says otherwise; None for a vector."""
        if sample["input"].dtype != torch.uint8:
            return None
        if truth:
            return captioned(sample["input"], self._name(int(sample["label"])), int(sample["label"]))
        found = int(prediction.argmax())
        right = "label" not in sample or found == int(sample["label"])
        return captioned(sample["input"], f"{self._name(found)} {float(prediction[found]):.2f}", found, right)

    def difficulty(self, sample: dict[str, Any], prediction: Tensor) -> float:
        """1 less the probability of the truth."""
        return 1 - float(prediction[int(sample["label"])])

    def _name(self, index: int) -> str:
        return self.classes[index] if self.classes else str(index)


class Regression(_Plain):
    """Numbers for each input: outputs and `target` have one shape, and predictions are the outputs.

    The usual loss, the mean squared error, is the usual figure already (`val/loss`), so no metric is computed beside
    it unless the recipe asks: torchmetrics takes longer to import than a small regression to train.

    Args:
        preprocess: `size` [H, W], `mean` and `std` (of values from 0 to 1) of pictures, from the assets.
    """

    loss = "mse"

    def baselines(self, train: Iterable[Batch]) -> dict[str, Callable[..., Any]]:
        """`mean`: of the targets."""
        mean = torch.cat([batch["target"] for batch in train]).mean(dim=0)
        return {"mean": lambda inputs: mean.expand(len(inputs), *mean.shape)}

    def describe(self, sample: dict[str, Any], prediction: Tensor) -> dict[str, Any]:
        """The number, or the list of them."""
        return {"value": prediction.item() if prediction.numel() == 1 else prediction.tolist()}

    def answer(self, prediction: Tensor) -> str | float:
        """The number.

        Raises:
            InputError: there are several.
        """
        if prediction.numel() != 1:
            raise InputError(f"a prediction of {prediction.numel()} numbers does not go into one cell of a table")
        return prediction.item()

    def difficulty(self, sample: dict[str, Any], prediction: Tensor) -> float:
        """The mean squared error."""
        return float((prediction.cpu() - sample["target"]).square().mean())


def _numbers(raw: str) -> Tensor:
    parts = raw.strip().removeprefix("[").removesuffix("]").split(",")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = [math.nan]
    if not all(math.isfinite(number) for number in numbers):
        raise InputError(
            f"`{raw}` is not a row of numbers",
            "write `1.5, 2` or `[1.5, 2]`; for pictures the assets would need a `preprocess` with `size`",
        )
    return torch.tensor(numbers)
