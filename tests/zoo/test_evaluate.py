"""Scores: means over samples and over models, against sums by hand."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
import torch
from torch import nn

from tests.zoo.training import experiment
from zoo import Data, InputError, Stopped, Task, TensorSplit
from zoo.jobs.evaluate import (
    evaluate,
    evaluating,
    fingerprint,
    predictions_of,
    signatures,
    tables_of,
)
from zoo.jobs.scoring import Scoring
from zoo.jobs.signals import Stop
from zoo.training.batches import make_batches
from zoo.training.learner import Learner

CPU = torch.device("cpu")
X = torch.tensor([[1.0], [2.0], [3.0], [5.0], [8.0]])


class Times(nn.Module):
    """A number times its input."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(float(factor)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.factor * x


class Negated(Task):
    """Predictions are the outputs with the other sign."""

    def predict(self, model: Any, batch: Any, outputs: Any = None) -> Any:
        return -super().predict(model, batch, outputs)


class Sum:
    """The sum of all it is given."""

    higher_is_better = True

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.total = torch.zeros(())

    def update(self, predictions: torch.Tensor, target: torch.Tensor) -> None:
        self.total += predictions.sum()

    def compute(self) -> Any:
        return self.total


class OfOutputs(Sum):
    takes_outputs = True
    signature = "sum|outputs"


class Several(Sum):
    def compute(self) -> dict[str, torch.Tensor]:
        return {"once": self.total, "twice": 2 * self.total, "table": torch.stack([self.total, self.total])}


class Square(nn.Module):
    """Squared errors; what is not counted is negative."""

    def forward(self, outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return (outputs - target).square().mean()


class Unlike(Square):
    """A loss with a figure of its own."""

    def figures(self, outputs: torch.Tensor, target: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"largest": outputs.mean()}


def scoring(
    factor: float = 1.0, metrics: dict[str, Any] | None = None, size: int = 2, loss: Any = None, x: torch.Tensor = X
) -> Scoring:
    """Times a factor, whose target is 0."""
    data = Data({"val": TensorSplit(input=x, target=torch.zeros_like(x))})
    task = Negated()
    batches = make_batches(data.splits["val"], size, CPU, task.collate)
    return Scoring(Learner(Times(factor), task, loss or Square()), metrics or {}, batches, "val", CPU)


@pytest.mark.parametrize("size", [1, 2, 3, 64])
def test_figures_do_not_depend_on_the_batches(size: int) -> None:
    """By hand: the mean square of 2, 4, 6, 10, 16, and sums of predictions and outputs."""
    metrics = {"sum": Sum(), "outputs": OfOutputs()}
    expected = {"val/loss": pytest.approx(4 * 103 / 5), "val/sum": -38.0, "val/outputs": 38.0}
    own = scoring(2, metrics, size)
    assert evaluate(own) == expected
    assert evaluate(own) == expected  # metrics forget
    assert evaluate(scoring(2, size=size, loss=Unlike()))["val/largest"] == pytest.approx(2 * 19 / 5)


@pytest.mark.usefixtures("probe_parts")
@pytest.mark.parametrize("size", [1, 7, 64])
def test_a_loss_that_counts_is_the_mean_of_what_it_counts(size: int) -> None:
    """By hand, over the positive targets, though they are spread unevenly over the batches; the halves likewise."""
    parts = experiment({"dataset": "positive_line", "loss": "positives", "eval.batch_size": size})
    figures = evaluate(parts.scoring)
    x = parts.data.splits["val"].tensors["input"]
    with torch.no_grad():
        error = (parts.model(x) - x)[x > 0].square().mean().item()
    halves = {"val/loss_half": error / 2, "val/loss_rest": error / 2}
    assert figures == pytest.approx({"val/loss": error, **halves}, rel=1e-5)


def test_a_limit_is_of_batches() -> None:
    assert evaluate(scoring(1, {"sum": Sum()}, size=2), limit=2)["val/sum"] == -11


def test_without_a_loss_there_are_metrics_alone() -> None:
    own = scoring(1, {"sum": Sum()})
    own.learner.loss = None
    assert evaluate(own) == {"val/sum": -19.0}


def test_a_stop_is_heard_between_batches() -> None:
    stop = Stop()
    stop.requested = True
    with pytest.raises(Stopped):
        evaluate(scoring(), stop=stop)


def test_several_models_score_together_as_if_one_had_scored_all() -> None:
    """By hand: 2, 4 from the first, 9, 15, 24 from the second; a mean over samples, not over models."""
    first, second = scoring(2, {"sum": Sum()}, x=X[:2]), scoring(3, {"sum": Sum()}, x=X[2:])
    second.split = "other"
    figures = evaluate(first, second)
    assert figures == {"val/loss": pytest.approx((4 + 16 + 81 + 225 + 576) / 5), "val/sum": -54.0}


@pytest.mark.parametrize("metrics", [{"loss": Sum()}, {"once": Sum(), "several": Several()}])
def test_two_figures_of_one_name_are_refused(metrics: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"two figures are called `(loss|once)`"):
        evaluate(scoring(metrics=metrics))


def test_a_metric_of_several_figures_names_them_and_its_tables_are_kept_apart() -> None:
    own = scoring(1, {"several": Several()})
    assert {name: value for name, value in evaluate(own).items() if name != "val/loss"} == {
        "val/once": -19.0,
        "val/twice": -38.0,
    }
    own.model.factor.data.fill_(2)
    assert tables_of(own) == {"tables": {"val/table": [-38.0, -38.0]}}  # of the weights as they are now
    assert tables_of(scoring(metrics={"sum": Sum()})) == {}


def test_signatures_say_how_a_metric_was_computed() -> None:
    assert signatures(scoring(metrics={"sum": Sum(), "outputs": OfOutputs()})) == {
        "signatures": {"outputs": "sum|outputs"}
    }
    assert signatures(scoring(metrics={"sum": Sum()})) == {}


def test_a_fingerprint_is_the_hash_of_the_first_outputs() -> None:
    """Against `hashlib` over the numbers of the first three samples; the fourth has no say."""
    own = scoring(3, size=4)
    expected = 3 * X[:3]
    found, first = fingerprint(own, samples=3)
    assert found == hashlib.sha256(expected.numpy().tobytes()).hexdigest()
    assert torch.equal(first, expected.flatten())
    assert fingerprint(own)[0] == hashlib.sha256((3 * X).numpy().tobytes()).hexdigest()


def test_a_fingerprint_is_of_every_tensor_of_the_outputs() -> None:
    own = scoring(1, size=4)
    own.learner.loss = None
    own.task.forward = lambda model, batch: {"a": [batch["input"]], "b": (2 * batch["input"], "text")}  # type: ignore
    tensors = [X, 2 * X]
    found, first = fingerprint(own)
    assert found == hashlib.sha256(b"".join(tensor.numpy().tobytes() for tensor in tensors)).hexdigest()
    assert torch.equal(first, torch.cat(tensors).flatten())


def test_evaluation_leaves_each_module_in_the_mode_it_had() -> None:
    model = nn.Sequential(nn.Dropout(), nn.Sequential(nn.Dropout(), nn.BatchNorm1d(1)))
    model.train()
    model[1][1].eval()
    with pytest.raises(ZeroDivisionError), evaluating(model):
        assert not any(module.training for module in model.modules())
        assert not torch.is_grad_enabled()
        raise ZeroDivisionError
    assert [module.training for module in model.modules()] == [True, True, True, True, False]
    assert torch.is_grad_enabled()


def test_predictions_are_the_task_s_and_in_evaluation_mode() -> None:
    own = scoring(2).of(nn.Sequential(Times(2), nn.Dropout(0.5)))
    assert torch.equal(predictions_of(own, {"input": X}), -2 * X)
