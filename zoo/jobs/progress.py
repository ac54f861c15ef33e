"""How far a run has come: what a checkpoint holds beside weights, optimizer and generators."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from typing import Any

import torch

from zoo.errors import RunFailed
from zoo.jobs.experiment import Experiment
from zoo.runs.files import Content
from zoo.runs.folder import METRICS, STATE, STATE_TENSORS, Folder
from zoo.runs.state_tree import join_tensors, split_tensors
from zoo.runs.weights import assign_weights, encode, read_tensors, weights_of
from zoo.training.learner import Learner
from zoo.training.loop import Step, part_name
from zoo.training.randomness import random_state, restore_random_state


@dataclass
class Progress:
    """Counters and figures of a run, and the losses since the last logged line, still on the device.

    Attributes:
        step: steps done, of `steps`.
        evaluated: the step of the last evaluation.
        best: the best monitored figure so far, at `best_step`, with `figures` beside it.
        stale: evaluations since then.
        chosen: whether the last evaluation's weights are kept because it is the best.
        seconds: wall time; `train_seconds` of it in steps, and `data_seconds` of those waiting for batches.
        fingerprint: what the saved weights say of a fixed batch: a hash, and the first outputs.
    """

    step: int = 0
    steps: int = 0
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

    def add(self, step: Step) -> None:
        self.step = step.number
        self.examples += step.examples
        self.window.append(step)

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


def save_state(experiment: Experiment, progress: Progress, folder: Folder, extra: dict[str, Content]) -> None:
    """Commit a checkpoint, together with `extra` files (weights that are the best so far)."""
    update = experiment.update
    tensors, tied = weights_of(experiment.model)
    state = {
        "optimizer": update.optimizer.state_dict(),
        "schedule": None if update.schedule is None else _without_functions(update.schedule.state_dict()),
        "scaler": None if update.scaler is None else update.scaler.state_dict(),
        "ema": None if update.ema is None else [update.ema.updates, weights_of(update.ema.model)[0]],
        "learner": _own_state(experiment.learner),
        "random": random_state(experiment.device),
        "progress": _progress_state(progress),
        "metrics_size": folder.log.flushed_size(),
        "threads": torch.get_num_threads(),
        "tied": tied,
    }
    plain, state_tensors = split_tensors(state)
    named = {f"model.{name}": tensor for name, tensor in tensors.items()}
    files = {
        STATE: [json.dumps(plain).encode()],
        STATE_TENSORS: encode({**named, **state_tensors}, {}),
    }
    folder.commit({**files, **extra})


def _own_state(learner: Learner) -> dict[str, Any]:
    """The state of loss and task: parameters, and what is carried from step to step."""
    parts = {"loss": learner.loss, "task": learner.task}
    return {name: dict(part.state_dict()) for name, part in parts.items() if isinstance(part, torch.nn.Module)}


@dataclass
class Resumed:
    """The state that a checkpoint holds: how far the run was, on how many threads, and what of its log is missing."""

    progress: Progress
    threads: int
    missing: int


def load_state(experiment: Experiment, folder: Folder) -> Resumed:
    """Take up a run where its checkpoint left it.

    Raises:
        RunFailed: the checkpoint is damaged, or is not what zoo writes.
        InputError: its weights do not fit the model.
    """
    tensors, _ = folder.read(STATE_TENSORS, read_tensors)
    tensors = {name: tensor.clone() for name, tensor in tensors.items()}  # out of the mapped file, and aligned
    plain = folder.read_json(STATE)
    try:
        return _take_up(experiment, folder, join_tensors(plain, tensors), tensors)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RuntimeError) as error:
        cause = f"{type(error).__name__}: {error}"
        raise RunFailed(f"{folder.path / STATE} is no checkpoint of this run ({cause})") from error


def _take_up(
    experiment: Experiment, folder: Folder, state: dict[str, Any], tensors: dict[str, torch.Tensor]
) -> Resumed:
    update, device = experiment.update, experiment.device
    progress = _progress_from(state["progress"], device)
    if not progress.step >= 0 or not state["metrics_size"] >= 0:
        raise ValueError(f"step {progress.step}, {state['metrics_size']} bytes of {METRICS}")
    own = {name.removeprefix("model."): tensor for name, tensor in tensors.items() if name.startswith("model.")}
    _copy_into(experiment.model, own, state["tied"], str(folder.path))
    update.optimizer.load_state_dict(state["optimizer"])
    _lay_out_like_weights(update.optimizer)
    if update.schedule is not None:
        update.schedule.load_state_dict(state["schedule"])
    if update.scaler is not None:
        update.scaler.load_state_dict(state["scaler"])
    if update.ema is not None:
        update.ema.updates = state["ema"][0]
        _copy_into(update.ema.model, state["ema"][1], state["tied"], str(folder.path))
    for name, own in state["learner"].items():
        getattr(experiment.learner, name).load_state_dict(own)
    restore_random_state(state["random"], device)
    return Resumed(progress, state["threads"], folder.log.cut(state["metrics_size"]))


def _lay_out_like_weights(optimizer: torch.optim.Optimizer) -> None:
    """Put an optimizer's state into the memory order of the weights: fused kernels walk through both side by side."""
    for parameter, state in optimizer.state.items():
        for name, value in state.items():
            if isinstance(value, torch.Tensor) and value.shape == parameter.shape:
                state[name] = torch.empty_like(parameter, dtype=value.dtype, device=value.device).copy_(value)


def _copy_into(model: torch.nn.Module, tensors: dict[str, torch.Tensor], tied: dict[str, str], where: str) -> None:
    """Values into the tensors that optimizer and average hold on to."""
    with torch.no_grad():
        own = model.state_dict()
        missing = [name for name in own if name not in tensors and name not in tied]
        if missing:
            assign_weights(model, tensors, tied, where=where)  # raises, and says what differs
        for name, tensor in own.items():
            if name in tensors:
                tensor.copy_(tensors[name])


def _progress_state(progress: Progress) -> dict[str, Any]:
    state = {each.name: getattr(progress, each.name) for each in fields(Progress) if each.name != "window"}
    state["window"] = [
        [step.number, step.epoch, step.loss, step.parts, step.examples, step.lr] for step in progress.window
    ]
    return state


def _progress_from(state: dict[str, Any], device: torch.device) -> Progress:
    window = [
        Step(number, epoch, loss.to(device), {name: part.to(device) for name, part in parts.items()}, examples, lr)
        for number, epoch, loss, parts, examples, lr in state.pop("window")
    ]
    return Progress(**state, window=window)


def _without_functions(state: dict[str, Any]) -> dict[str, Any]:
    """A schedule's own functions are made anew by the recipe."""
    return {key: value for key, value in state.items() if not callable(value) and not key.startswith("_get_lr")}
