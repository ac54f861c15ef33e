"""The task `forecasting`."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterable
from typing import Annotated, Any

import torch
from annotated_types import Ge
from torch import Tensor

from zoo import Batch, InputError, Task
from zoo_seq.forecasting.metrics import StepError
from zoo_seq.forecasting.series import HORIZON


class Forecasting(Task):
    """Go on with a series: models (B, tau) -> (B, 1) are trained on the next number alone.

    Predictions are `steps` numbers, each made from those before it, predicted ones included. The run's picture
    `forecasts` shows them 1, 4, 16 and 64 steps ahead beside what came.

    Args:
        scale: mean and deviation of the series, and tau, from the assets.
        steps: numbers that a raw series is gone on with.
    """

    loss = "mse"
    metrics = ("step_error",)
    monitor = "val/loss"

    def __init__(self, scale: dict[str, Any], steps: Annotated[int, Ge(1)] = 16) -> None:
        super().__init__()
        self.scale, self.steps = scale, steps

    def predict(self, model: Any, batch: Batch, outputs: Tensor | None = None) -> Tensor:
        """Numbers ahead (B, S), in deviations: as many as a held-out sample's future, or `steps`."""
        steps = batch["future"].shape[1] if "future" in batch else self.steps
        return roll_out(model, batch["input"], steps)

    def update(self, name: str, metric: Any, model: Any, batch: Batch, outputs: Any, predictions: Any) -> None:
        """Metrics compare forecasts with the future, as far as it is known: on training samples one step."""
        future = batch["future"] if "future" in batch else batch["target"]
        metric.update(predictions[:, : future.shape[1]], future)

    def baselines(self, train: Iterable[Batch]) -> dict[str, Callable[..., Any]]:
        """The series' `mean`; the `last value`, again and again; and the `mean of the last four`, which moves along."""
        return {
            "mean": lambda numbers: numbers.new_zeros(len(numbers), 1),
            "last value": lambda numbers: numbers[:, -1:],
            "mean of the last four": lambda numbers: numbers[:, -4:].mean(dim=1, keepdim=True),
        }

    def sample(self, raw: str) -> dict[str, Any]:
        """Numbers as `0.1, 0.5`, at least tau of them, of which the last count."""
        try:
            numbers = [float(part) for part in raw.strip().strip("[]").split(",")]
        except ValueError:
            numbers = [math.nan]
        tau = self.scale["tau"]
        if len(numbers) < tau or not all(map(math.isfinite, numbers)):
            raise InputError(f"`{raw}` is no series of {tau} numbers or more", "write them as 0.1, 0.5, 0.7")
        return {"input": (torch.tensor(numbers[-tau:]) - self.scale["mean"]) / self.scale["deviation"]}

    def describe(self, sample: dict[str, Any], prediction: Tensor) -> dict[str, Any]:
        """`{"next": the numbers that follow}`."""
        numbers = prediction * self.scale["deviation"] + self.scale["mean"]
        return {"next": [round(number, 6) for number in numbers.tolist()]}

    def difficulty(self, sample: dict[str, Any], prediction: Tensor) -> float:
        return float((prediction.cpu() - sample["future"]).square().mean()) if "future" in sample else 0.0

    def pictures(self, model: Any, batch: Batch) -> dict[str, Any]:
        forecasts = roll_out(model, batch["input"], HORIZON).cpu()
        return {"forecasts": _plot(batch["target"].flatten().cpu(), forecasts)}


def roll_out(model: Any, numbers: Tensor, steps: int) -> Tensor:
    """The last numbers (B, tau) -> the next ones (B, steps), one from another."""
    tau = numbers.shape[1]
    for _ in range(steps):
        numbers = torch.cat([numbers, model(numbers[:, -tau:])], dim=1)
    return numbers[:, tau:]


def _plot(truth: Tensor, forecasts: Tensor) -> Any:
    """The series, and what was forecast of each of its places so many steps before."""
    from matplotlib.figure import Figure
    from PIL import Image

    figure = Figure(figsize=(9, 4), dpi=110, layout="constrained")
    axes = figure.subplots()
    axes.plot(truth.numpy(), color="0.75", label="what came", linewidth=1.2)
    for step in StepError.steps:
        place = torch.arange(len(forecasts)) + step - 1
        axes.plot(place.numpy(), forecasts[:, step - 1].numpy(), label=f"{step} ahead", linewidth=1.2)
    axes.set_xlim(0, len(truth) + HORIZON)
    axes.set_xlabel("place in the held-out part")
    axes.set_ylabel("deviations")
    axes.legend(fontsize="small")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return Image.open(buffer)
