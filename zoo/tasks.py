"""A task: the glue between model, dataset, loss and metrics, and between raw inputs and predictions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from zoo.data import Batch
from zoo.errors import InputError


class Task:
    """How one kind of problem is trained, scored and shown. Subclass it and override what differs.

    Attributes:
        loss: the usual loss, as a recipe would write it (a name or a table); None where the model returns its losses.
        metrics: the usual metrics, likewise.
        monitor: the figure that chooses the best weights and stops early, such as `"val/accuracy"`.
        suffixes: where raw inputs are files, how their names end (`zoo.PICTURE_SUFFIXES`): `zoo predict` looks for
            these in folders, and takes files in batches.
    """

    loss: str | dict[str, Any] | None = None
    metrics: Sequence[str | dict[str, Any]] = ()
    monitor: str = "val/loss"
    suffixes: Sequence[str] = ()

    # Training and scoring

    def collate(self, samples: list[dict[str, Any]]) -> Batch:
        """Samples of a map-style split -> one batch of tensors with a leading batch dimension."""
        from torch.utils.data import default_collate

        return default_collate(samples)  # type: ignore[no-any-return]

    def forward(self, model: Any, batch: Batch) -> Any:
        """Call the model with a batch. A dict of named losses where the model makes its own while training."""
        return model(batch["input"])

    def target(self, batch: Batch) -> Any:
        """Return what the loss and the metrics compare with."""
        return batch["target"]

    def predict(self, model: Any, batch: Batch, outputs: Any) -> Any:
        """Outputs of `forward` -> predictions, one for each sample when indexed or iterated.

        `model` is given for predictions that take more than one forward pass (beam search).
        """
        return outputs

    def update(self, metric: Any, outputs: Any, predictions: Any, batch: Batch) -> None:
        """Feed one batch to a metric. A metric with `takes_outputs = True` gets the raw outputs."""
        metric.update(outputs if getattr(metric, "takes_outputs", False) else predictions, self.target(batch))

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

    # What is carried from step to step (a language model's hidden state); the checkpoint keeps it.

    def state_dict(self) -> dict[str, Any]:
        """Named tensors carried from one training step to the next."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what `state_dict` returned."""

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
