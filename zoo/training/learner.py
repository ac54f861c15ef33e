"""Model, task and loss as one module: what is trained, compiled and scored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import torch
from torch import nn

from zoo.data import Batch
from zoo.tasks import Count, Task, takes

# What stands before the names of a loss's and a task's tensors in a file of weights; no module's name has a colon.
LOSS, TASK = "loss:", "task:"


class Scored(NamedTuple):
    """The losses of a batch by name, `loss` for one without a name: means, and what each is a mean over."""

    values: dict[str, torch.Tensor]
    counts: dict[str, Count]
    outputs: Any


class Learner(nn.Module):
    """A model, the task that it is given, and its loss; called with a batch, it says what that costs.

    The task sees the bare model, whatever wraps this module (a compiler, a process group).
    """

    def __init__(self, model: nn.Module, task: Task, loss: Callable[..., Any] | None) -> None:
        super().__init__()
        self.model, self.task, self.loss = model, task, loss
        self.loss_takes_batch = loss is not None and takes(loss, "batch")

    def of(self, model: nn.Module) -> Learner:
        """Return another model with the same task and loss."""
        return Learner(model, self.task, self.loss)

    def forward(self, batch: Batch) -> Scored:
        """Return the losses of a batch, and the outputs."""
        task, loss = self.task, self.loss
        if self.loss_takes_batch:
            loss = _WithBatch(loss, batch)
        stated, counts, outputs = task.losses(self.model, loss, batch)
        values: dict[str, torch.Tensor] = {}
        by_name: dict[str, Count] = {}
        samples = None
        for name, value in (stated if isinstance(stated, Mapping) else {"loss": stated}).items():
            count = counts.get(name) if isinstance(counts, Mapping) else counts
            values[name], count = value if isinstance(value, tuple) else (value, count)
            if count is None:
                count = samples = task.batch_size(batch) if samples is None else samples
            by_name[name] = count
        return Scored(values, by_name, outputs)

    def predict(self, batch: Batch, outputs: Any = None) -> Any:
        """Return the predictions for a batch, from its outputs where there are any."""
        return self.task.predict(self.model, batch, outputs)

    def figures(self, batch: Batch, outputs: Any) -> dict[str, torch.Tensor]:
        """Return what the loss reports of a batch beside its values, by name."""
        figures = getattr(self.loss, "figures", None)
        return {} if figures is None else figures(outputs, self.task.target(batch))

    # What loss and task have of their own; the model's tensors are saved and loaded as the model's.

    def own_parameters(self) -> Iterator[nn.Parameter]:
        """Yield the parameters of loss and task."""
        for part in self._parts().values():
            yield from part.parameters()

    def own_tensors(self) -> dict[str, torch.Tensor]:
        """Return the tensors of loss and task, by the names that a file of weights has for them."""
        return {
            f"{prefix}{name}": tensor
            for prefix, part in self._parts().items()
            for name, tensor in part.state_dict().items()
            if isinstance(tensor, torch.Tensor)
        }

    @torch.no_grad()
    def assign_own(self, tensors: Mapping[str, torch.Tensor]) -> list[str]:
        """Copy saved tensors into loss and task; return the names of those that were not saved, or in another shape."""
        new = []
        for name, tensor in self.own_tensors().items():
            if name in tensors and tensors[name].shape == tensor.shape:
                tensor.copy_(tensors[name])
            else:
                new.append(name)
        return new

    def own_state(self) -> dict[str, Any]:
        """Return the state of loss and task for a checkpoint: what they carry from step to step, too."""
        return {prefix: dict(part.state_dict()) for prefix, part in self._parts().items()}

    def load_own_state(self, state: Mapping[str, Any]) -> None:
        """Take up what `own_state` returned."""
        for prefix, part in self._parts().items():
            part.load_state_dict(state[prefix])

    def _parts(self) -> dict[str, nn.Module]:
        parts = {LOSS: self.loss, TASK: self.task}
        return {prefix: part for prefix, part in parts.items() if isinstance(part, nn.Module)}


class _WithBatch:
    """A loss that takes the batch, as a task calls any loss."""

    def __init__(self, loss: Any, batch: Batch) -> None:
        self.loss, self.batch = loss, batch

    def __call__(self, outputs: Any, target: Any) -> Any:
        return self.loss(outputs, target, self.batch)

    def count(self, outputs: Any, target: Any) -> Any:
        return self.loss.count(outputs, target, self.batch) if hasattr(self.loss, "count") else None
