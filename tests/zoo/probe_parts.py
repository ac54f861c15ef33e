"""Small components for tests of training: models with awkward parts, losses and metrics that can be listened to."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import torch
from torch import nn

from zoo import Data, TensorSplit, dataset, hookimpl, loss, metric, model


class Bells:
    """What a test wants to be called at: `loss(outputs)` and `metric(predictions)`, as often as they are computed."""

    loss: Callable[[torch.Tensor], Any] | None = None
    metric: Callable[[torch.Tensor], Any] | None = None


class Net(nn.Module):
    """A perceptron with what training settings speak of: a normalisation, dropout, a head. (B, 1) -> (B, 1)."""

    def __init__(self, num_inputs: int, width: int = 8, dropout: float = 0.0, norm: bool = False) -> None:
        super().__init__()
        self.body = nn.Linear(num_inputs, width)
        self.norm = nn.BatchNorm1d(width) if norm else nn.Identity()
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.dropout(torch.tanh(self.norm(self.body(x)))))


class Tied(nn.Module):
    """Two layers with one matrix."""

    def __init__(self, num_inputs: int, width: int = 8) -> None:
        super().__init__()
        self.body = nn.Linear(num_inputs, width)
        self.first = nn.Linear(width, width)
        self.second = nn.Linear(width, width)
        self.second.weight = self.first.weight
        self.head = nn.Linear(width, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.second(torch.tanh(self.first(torch.tanh(self.body(x))))))


class Pictured(nn.Module):
    """Convolutions over numbers taken for pictures of one pixel."""

    def __init__(self, num_inputs: int, width: int = 4, kernel: int = 1) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(num_inputs, width, kernel, padding=kernel // 2)
        self.second = nn.Conv2d(width, width, kernel, padding=kernel // 2)
        self.head = nn.Linear(width, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.second(torch.tanh(self.convolution(x[:, :, None, None]))).flatten(1))


class RandomInEvaluation(Net):
    """Dropout that never rests."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) + torch.randn(1)


class StateOutside(Net):
    """Counts its training steps where no state dict sees them."""

    count = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.count += self.training
        return super().forward(x) + 0.01 * self.count


class Calculating(Net):
    """A constructor that looks at its values, and tensors that are no buffers: neither works on the meta device."""

    def __init__(self, num_inputs: int, width: int = 8, look: bool = True) -> None:
        super().__init__(num_inputs, width)
        self.plain = [torch.ones(1)]
        self.register_buffer("grid", torch.arange(1.0, 2.0), persistent=False)
        if look:
            self.first = float(self.body.weight.numpy(force=True)[0, 0])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) * self.plain[0] * self.grid


def squared_error(weight: float = 1.0) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """The mean squared error, which rings."""

    def value(outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        if Bells.loss is not None:
            Bells.loss(outputs)
        return weight * (outputs - target).square().mean()

    return value


class Positives(nn.Module):
    """The mean squared error over positive targets; 0 where there are none."""

    def forward(self, outputs: torch.Tensor, target: torch.Tensor) -> dict[str, torch.Tensor]:
        error = ((outputs - target).square() * (target > 0)).sum() / self.count(outputs, target).clamp(min=1)
        return {"half": error / 2, "rest": error / 2}

    def count(self, outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return (target > 0).sum()


def taking_turns() -> Callable[[torch.Tensor, torch.Tensor], dict[str, torch.Tensor]]:
    """The mean squared error as a part that is called otherwise at every second call."""
    calls: list[int] = []

    def value(outputs: torch.Tensor, target: torch.Tensor) -> dict[str, torch.Tensor]:
        calls.append(1)
        return {("even", "loss_odd")[len(calls) % 2]: (outputs - target).square().mean()}

    return value


def broken_gradient(after: int = 3) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """A finite loss whose gradient is NaN from the given call on."""
    calls = []

    def value(outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        calls.append(torch.is_grad_enabled())
        slope = (0 * outputs).sum().sqrt() if sum(calls) > after else 0.0
        return (outputs - target).square().mean() + slope

    return value


class Scripted:
    """A metric whose figures are written beforehand, whatever the model says."""

    higher_is_better = True
    figures = ("scripted",)

    def __init__(self, values: list[float | Literal["nan"]]) -> None:
        self.values = map(float, values)

    def reset(self) -> None: ...

    def update(self, predictions: torch.Tensor, target: torch.Tensor) -> None:
        if Bells.metric is not None:
            Bells.metric(predictions)

    def compute(self) -> float:
        return next(self.values, float("nan"))  # what is scored after the run


def positive_line(size: int = 64) -> Data:
    """y = x, of which the first half of x is negative: batches with no, some and only positive targets."""
    x = torch.linspace(-1, 1, size)[:, None]
    return Data(
        {"train": TensorSplit(input=x, target=x), "val": TensorSplit(input=x, target=x)},
        facts={"num_inputs": 1},
        assets={"preprocess": {"scale": 1.0}},
    )


class Signalling:
    """A line as a map-style split; where there is a file `flag`, loading a sample stops run and worker, once."""

    def __init__(self, flag: Path) -> None:
        self.flag = flag

    def __len__(self) -> int:
        return 64

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        if index == 40 and torch.utils.data.get_worker_info() is not None and self.flag.exists():
            self.flag.unlink()
            for process in (os.getppid(), os.getpid()):
                os.kill(process, signal.SIGTERM)
        return {"input": torch.tensor([index / 64]), "target": torch.tensor([index / 64])}


def signalling(flag: str) -> Data:
    """`Signalling` for training."""
    return Data({**positive_line().splits, "train": Signalling(Path(flag))}, {"num_inputs": 1}, positive_line().assets)


PLUGIN = SimpleNamespace(
    zoo_components=hookimpl(
        lambda: [
            *(
                model(name, f"tests.zoo.probe_parts:{attribute}")
                for name, attribute in {
                    "net": "Net",
                    "tied": "Tied",
                    "pictured": "Pictured",
                    "random_in_evaluation": "RandomInEvaluation",
                    "state_outside": "StateOutside",
                    "calculating": "Calculating",
                }.items()
            ),
            dataset("positive_line", "tests.zoo.probe_parts:positive_line"),
            dataset("signalling", "tests.zoo.probe_parts:signalling"),
            loss("squared_error", "tests.zoo.probe_parts:squared_error"),
            loss("positives", "tests.zoo.probe_parts:Positives"),
            loss("taking_turns", "tests.zoo.probe_parts:taking_turns"),
            loss("broken_gradient", "tests.zoo.probe_parts:broken_gradient"),
            metric("scripted", "tests.zoo.probe_parts:Scripted"),
        ]
    )
)
