"""How far a run has come: counters and figures, and the losses since the last logged line."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, fields
from typing import Any

import torch

from zoo.errors import RunFailed
from zoo.training.loop import Step, part_name


@dataclass
class Progress:
    """Counters and figures of a run, and the losses since the last logged line, still on the device.

    Attributes:
        step: steps done.
        evaluated: the step of the last evaluation.
        best: the best monitored figure so far, at `best_step`, with `figures` beside it.
        stale: evaluations since then.
        chosen: whether the last evaluation's weights are kept because it is the best.
        seconds: wall time; `train_seconds` of it in steps, and `data_seconds` of those waiting for batches.
        fingerprint: what the saved weights say of a fixed batch: a hash, and the first outputs.
    """

    step: int = 0
    evaluated: int = -1
    best: float | None = None
    best_step: int = 0
    stale: int = 0
    chosen: bool = False
    examples: int = 0
    seconds: float = 0.0
    train_seconds: float = 0.0
    data_seconds: float = 0.0
    figures: dict[str, float] = field(default_factory=dict)
    fingerprint: str = ""
    first_outputs: torch.Tensor = field(default_factory=lambda: torch.zeros(0))
    window: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._asked = time.monotonic()

    @property
    def examples_per_second(self) -> float:
        """The speed of the steps, waiting for batches included."""
        return self.examples / self.train_seconds if self.train_seconds else 0.0

    def add(self, step: Step) -> None:
        """Count a step."""
        now = time.monotonic()
        self.step = step.number
        self.examples += step.examples
        self.train_seconds += now - self._asked
        self.data_seconds += step.waited
        self.window.append(step)

    def goes_on(self) -> None:
        """The next step is about to be made: what was done in between is not its time."""
        self._asked = time.monotonic()

    def state_dict(self) -> dict[str, Any]:
        """Return all of it, for a checkpoint."""
        state = {entry.name: getattr(self, entry.name) for entry in fields(self) if entry.name != "window"}
        state["window"] = [
            [step.number, step.epoch, step.loss, step.parts, step.examples, step.lr] for step in self.window
        ]
        return state

    @classmethod
    def from_state(cls, state: dict[str, Any], device: torch.device) -> Progress:
        """Return what `state_dict` had; losses on the device."""
        window = [
            Step(number, epoch, loss.to(device), {name: part.to(device) for name, part in parts.items()}, examples, lr)
            for number, epoch, loss, parts, examples, lr in state.pop("window")
        ]
        progress = cls(**state, window=window)
        if not progress.step >= 0:
            raise ValueError(f"step {progress.step}")
        return progress

    def take_window(self, steps_per_epoch: int) -> dict[str, float]:
        """Mean losses of the steps since the last call. Here, once in many steps, the device is waited for.

        Raises:
            RunFailed: a loss is not finite.
        """
        if not self.window:
            return {}
        losses = torch.stack([step.loss for step in self.window]).float()
        values = losses.tolist()
        for step, value in zip(self.window, values, strict=True):
            if not abs(value) < float("inf"):
                within = (step.number - 1) % steps_per_epoch + 1
                place = f"epoch {step.epoch + 1}, batch {within} of {steps_per_epoch}"
                raise RunFailed(
                    f"the loss is {value} at step {step.number} ({place})",
                    'a smaller rate, warm-up, clip_norm or precision = "fp32" may help',
                )
        means = {"loss": sum(values) / len(values)}
        for name in dict.fromkeys(name for step in self.window for name in step.parts):
            parts = torch.stack([step.parts[name] for step in self.window if name in step.parts]).float().tolist()
            means[part_name(name)] = sum(parts) / len(parts)
        means["lr"] = self.window[-1].lr
        self.window = []
        return means


def require_finite(model: torch.nn.Module, step: int) -> None:
    """A gradient may be NaN where the loss is not; then the weights are, a step before the loss."""
    norms = torch._foreach_norm(list(model.parameters()))
    if norms and not torch.stack([norm.float() for norm in norms]).isfinite().all():
        broken = [name for name, tensor in model.named_parameters() if not tensor.isfinite().all()]
        raise RunFailed(
            f"weights are not finite after step {step}: {', '.join(broken[:3]) or 'they are too large'}",
            'a smaller rate, warm-up, clip_norm or precision = "fp32" may help',
        )
