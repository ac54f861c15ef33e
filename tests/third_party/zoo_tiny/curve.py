"""A dataset and its task."""

import json
from typing import Any

import torch

from zoo import Data, InputError, Task, TensorSplit


class Noisy(torch.utils.data.Dataset):
    """The curve as a map-style dataset that jitters its inputs with torch's and Python's global generators."""

    def __init__(self, x: torch.Tensor, y: torch.Tensor) -> None:
        self.x, self.y = x, y

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return {"input": self.x[index] + 0.01 * torch.randn(1), "target": self.y[index]}


def sine_curve(size: int = 256, noise: float = 0.1, seed: int = 0, in_memory: bool = True) -> Data:
    """A noisy sine: `input` and `target` of shape (1,)."""
    generator = torch.Generator().manual_seed(seed)
    x = 6 * torch.rand(size + 64, 1, generator=generator) - 3
    y = torch.sin(x) + noise * torch.randn(x.shape, generator=generator)
    train = TensorSplit(input=x[:size], target=y[:size]) if in_memory else Noisy(x[:size], y[:size])
    val = TensorSplit(input=x[size:], target=y[size:])
    return Data({"train": train, "val": val}, facts={"num_inputs": 1}, assets={"preprocess": {"scale": 1.0}})


class Curve(Task):
    """A number for a number."""

    loss = "mse"

    def __init__(self, preprocess: dict[str, Any]) -> None:
        self.scale = preprocess["scale"]

    def sample(self, raw: str) -> dict[str, Any]:
        try:
            return {"input": torch.tensor([float(raw) * self.scale]), "target": torch.zeros(1)}
        except ValueError:
            raise InputError(f"`{raw}` is no number") from None

    def describe(self, sample: dict[str, Any], prediction: torch.Tensor) -> dict[str, Any]:
        return {"value": json.loads(str(prediction.item()))}
