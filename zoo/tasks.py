"""A task: the glue between model, dataset, loss and metrics, and between raw inputs and predictions."""

from __future__ import annotations

import copy
import dataclasses
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import torch
from torch import nn

from zoo.data import Batch
from zoo.errors import InputError

Count = int | float | torch.Tensor


class Losses(NamedTuple):
    """What a batch costs.

    Attributes:
        values: a number, or numbers by name, whose sum is minimised. Each is a mean, or a pair of a mean and its count.
        counts: what the means are over: one count for all, or counts by name; None, and a name that is left out, stand
            for the batch's samples.
        outputs: what the model said, in fp32, for predictions and metrics.
    """

    values: torch.Tensor | tuple[torch.Tensor, Count] | Mapping[str, Any]
    counts: Count | Mapping[str, Count] | None
    outputs: Any


class Task(nn.Module):
    """How one kind of problem is trained, scored and shown. Subclass it and override what differs.

    It is a module: what it keeps as buffers moves to the device with the model, parameters are trained, and its state
    dict (what is carried from step to step, too) is part of a checkpoint.

    Attributes:
        loss: the usual loss, as a recipe would write it (a name or a table); None where `losses` needs none.
        metrics: the usual metrics, likewise.
        monitor: the figure that chooses the best weights and stops early, such as `"val/accuracy"`.
        suffixes: where raw inputs are files, how their names end (`zoo.PICTURE_SUFFIXES`): `zoo predict` looks for
            these in folders, and takes files in batches.
        autocast: makes the context that the model is called in; the run sets it to its precision.
    """

    loss: str | dict[str, Any] | None = None
    metrics: Sequence[str | dict[str, Any]] = ()
    monitor: str = "val/loss"
    suffixes: Sequence[str] = ()
    autocast: Callable[[], AbstractContextManager[Any]] = staticmethod(nullcontext)

    def __new__(cls, *arguments: Any, **keywords: Any) -> Task:
        """Make a module of every task, whether or not its constructor calls `super().__init__()`."""
        task: Task = super().__new__(cls)
        nn.Module.__init__(task)
        return task

    # Training and scoring

    def collate(self, samples: list[dict[str, Any]]) -> Batch:
        """Make a batch, tensors with a leading batch dimension, of samples of a map-style split."""
        from torch.utils.data import default_collate

        return default_collate(samples)  # type: ignore[no-any-return]

    def batch_size(self, batch: Batch) -> int:
        """Return how many samples a batch has: by default the length of its first tensor, else of its first list."""
        for value in _values(batch):
            if isinstance(value, torch.Tensor) and value.ndim:
                return len(value)
        return next(len(value) for value in _values(batch) if isinstance(value, list | tuple))

    def forward(self, model: Any, batch: Batch) -> Any:
        """Call the model with a batch, and return its outputs."""
        return model(batch["input"])

    def outputs(self, model: Any, batch: Batch) -> Any:
        """Call `forward` in the run's precision, and return the outputs in fp32."""
        with self.autocast():
            outputs = self(model, batch)
        return in_fp32(outputs)

    def target(self, batch: Batch) -> Any:
        """Return what the loss and the metrics compare with."""
        return batch["target"]

    def losses(self, model: Any, loss: Any, batch: Batch) -> Losses | tuple[Any, Any, Any]:
        """Return what a batch costs, what each value is a mean over, and the outputs: see `Losses`.

        Override it where the model makes its own losses, or where a loss is not enough; what calls the model does so
        inside of `with self.autocast():`.

        Args:
            loss: `loss(outputs, target)`; None where neither recipe nor task names one.
        """
        outputs = self.outputs(model, batch)
        if loss is None:
            return Losses({}, None, outputs)
        target = self.target(batch)
        values = loss(outputs, target)
        return Losses(values, loss.count(outputs, target) if hasattr(loss, "count") else None, outputs)

    def predict(self, model: Any, batch: Batch, outputs: Any = None) -> Any:
        """Return predictions, one for each sample when indexed or iterated; by default the outputs.

        Args:
            outputs: those of `losses`, where a batch has been scored; else the task calls the model.
        """
        return self.outputs(model, batch) if outputs is None else outputs

    def update(self, name: str, metric: Any, model: Any, batch: Batch, outputs: Any, predictions: Any) -> None:
        """Show one batch to a metric, by default its predictions beside the target.

        A metric with `takes_outputs = True` is given the outputs in their place; one whose `update` has a parameter
        `model` or `batch` is given these, too.

        Args:
            name: of the metric, as its figures bear it: a task with several targets knows by it which one is meant.
        """
        given = {"model": model, "batch": batch}
        asked = {key: value for key, value in given.items() if takes(metric.update, key)}
        metric.update(outputs if getattr(metric, "takes_outputs", False) else predictions, self.target(batch), **asked)

    def baselines(self, train: Iterable[Batch]) -> dict[str, Callable[..., Any]]:
        """Answers that ignore the input, by name (`majority class`, `mean`): the least that a model has to beat.

        Each is called as the model is and stands in its place while it is scored; a module, where the task asks more
        of a model than a call. None by default.

        Args:
            train: batches of some thousand training samples at most, in a random order and without augmentation.
        """
        return {}

    def variants(self, batch: Batch) -> list[Batch]:
        """The batch, and changes of it that mean the same: predictions are averaged over them where a person asks."""
        return [batch]

    # Raw inputs and what a person sees

    def sample(self, raw: Any) -> dict[str, Any]:
        """A raw input (a sentence; what `zoo.read_picture` reads) -> a sample as the dataset gives it, less the target.

        Raises `zoo.InputError` where the input cannot be read.
        """
        raise InputError(f"the task `{type(self).__name__}` cannot predict from a raw input")

    def describe(self, sample: dict[str, Any], prediction: Any) -> dict[str, Any]:
        """A prediction as a JSON object."""
        raise InputError(f"the task `{type(self).__name__}` cannot describe a prediction")

    def answer(self, prediction: Any) -> str | float:
        """A prediction as one cell of a table, as competitions want it."""
        name = type(self).__name__
        raise InputError(f"a prediction of `{name}` does not fit into a table's cell", "name inputs, not a --split")

    def draw(self, sample: dict[str, Any], prediction: Any, truth: bool = False) -> Any | None:
        """A prediction drawn on its sample as a PIL image, or None where there is nothing to draw.

        With `truth`, the sample's own target is drawn instead of the prediction.
        """
        return None

    def drawings(self, sample: dict[str, Any], prediction: Any) -> dict[str, Any]:
        """PIL images of a prediction to be kept as files, by what their names end in; by default what `draw` gives."""
        drawn = self.draw(sample, prediction)
        return {} if drawn is None else {"": drawn}

    def texts(self, sample: dict[str, Any], prediction: Any) -> dict[str, str]:
        """A prediction in words, beside its sample and the truth: a row of the report's table, by column."""
        return {}

    def pictures(self, model: Any, batch: Batch) -> dict[str, Any]:
        """PIL images of the model itself, made with the scored split's first batch, by the names that the run's
        `pictures/` keeps them under."""
        return {}

    def difficulty(self, sample: dict[str, Any], prediction: Any) -> float:
        """How bad a prediction is, from 0 (right) up: the report shows the worst first."""
        return 0.0


def _values(batch: Any) -> Iterator[Any]:
    """Yield the values in a batch of dicts."""
    if isinstance(batch, Mapping):
        for value in batch.values():
            yield from _values(value)
    else:
        yield batch


def takes(function: Any, name: str) -> bool:
    """Whether a callable has a parameter of that name; of a module its `forward` is asked."""
    try:
        return name in inspect.signature(getattr(function, "forward", function)).parameters
    except (TypeError, ValueError):  # a builtin without a signature
        return False


def in_fp32(outputs: Any) -> Any:
    """Return the same structure, of the same classes, with its half-precision tensors in fp32."""
    if isinstance(outputs, torch.Tensor):
        return outputs.float() if outputs.dtype in (torch.bfloat16, torch.float16) else outputs
    if isinstance(outputs, dict):
        converted = copy.copy(outputs)  # a class of its own may have more than its items
        for key, value in outputs.items():
            converted[key] = in_fp32(value)
        return converted
    if isinstance(outputs, list | tuple):
        parts = [in_fp32(value) for value in outputs]
        return type(outputs)(*parts) if hasattr(outputs, "_fields") else type(outputs)(parts)
    if dataclasses.is_dataclass(outputs) and not isinstance(outputs, type):
        fields = [field.name for field in dataclasses.fields(outputs) if field.init]
        return dataclasses.replace(outputs, **{name: in_fp32(getattr(outputs, name)) for name in fields})
    return outputs
