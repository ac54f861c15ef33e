"""Gradients and figures of a step, and those of an evaluation, do not depend on how the samples are cut into batches.

For every loss of the zoo, with batches of unequal size, padding and samples in which nothing counts: the pieces against
one large batch, whose loss is a single call, and whose gradient is autograd's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from zoo import Task
from zoo.jobs.evaluate import evaluate
from zoo.jobs.scoring import Scoring
from zoo.registry.catalog import Catalog
from zoo.training.learner import Learner
from zoo.training.loop import Update, fit
from zoo_basics import losses
from zoo_detection.multibox import MultiboxLoss
from zoo_vision.segmentation.losses import Dice

PIECES = (1, 4, 2, 5)
SIZE = sum(PIECES)
CPU = torch.device("cpu")

Sample = dict[str, Tensor]


class Scaled(nn.Module):
    """What the batch says that a model said, times a weight: a model of two parameters for any outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.shift = nn.Parameter(torch.tensor(1.3)), nn.Parameter(torch.tensor(0.2))

    def forward(self, outputs: Tensor) -> Tensor:
        return outputs * self.weight + self.shift * outputs.square()


class Plain(Task):
    """Samples of one shape."""


class Padded(Task):
    """Logits (C, T) of texts of several lengths; what is padded has no class."""

    def collate(self, samples: list[Sample]) -> Sample:
        longest = max(len(sample["target"]) for sample in samples)
        pad = partial(nn.functional.pad, value=0)
        return {
            "input": torch.stack([pad(s["input"], (0, longest - len(s["target"]))) for s in samples]),
            "target": torch.stack(
                [nn.functional.pad(s["target"], (0, longest - len(s["target"])), value=9) for s in samples]
            ),
        }


class Boxes(Task):
    """Detections of pictures with several numbers of objects."""

    def collate(self, samples: list[Sample]) -> Sample:
        pad = partial(nn.utils.rnn.pad_sequence, batch_first=True)
        return {
            **{name: torch.stack([sample[name] for sample in samples]) for name in ("logits", "offsets")},
            "boxes": pad([sample["boxes"] for sample in samples]),
            "labels": pad([sample["labels"] for sample in samples], padding_value=-1),
        }

    def batch_size(self, batch: Sample) -> int:
        return len(batch["logits"])

    def forward(self, model: Any, batch: Sample) -> Sample:
        centres = torch.cartesian_prod(torch.arange(4.0), torch.arange(4.0)) / 4 + 0.125
        anchors = torch.cat([centres, torch.full((16, 2), 0.3)], dim=1)
        return {"anchors": anchors, **{name: model(batch[name]) for name in ("logits", "offsets")}}

    def target(self, batch: Sample) -> Sample:
        return {"boxes": batch["boxes"], "labels": batch["labels"]}


class TwoParts(nn.Module):
    """Masked words and pairs: parts that are means over different counts, one of them often over nothing."""

    def forward(self, outputs: Tensor, target: Tensor) -> dict[str, Any]:
        masked = target > 1
        words = ((outputs - 1).square() * masked).sum() / masked.sum().clamp(min=1)
        return {"words": (words, masked.sum()), "pairs": (outputs.mean(dim=1) - 0.5).abs().mean()}


class Learned(nn.Module):
    """Squared errors by a scale of the loss's own (Kendall et al., 2018), which is trained, too."""

    def __init__(self) -> None:
        super().__init__()
        self.log_variance = nn.Parameter(torch.tensor(0.3))

    def forward(self, outputs: Tensor, target: Tensor) -> Tensor:
        return (-self.log_variance).exp() * (outputs - target).square().mean() + self.log_variance

    def count(self, outputs: Tensor, target: Tensor) -> int:
        return target.numel()


class WithBatch(nn.Module):
    """An error weighted by what only the batch has."""

    def forward(self, outputs: Tensor, target: Tensor, batch: Sample) -> Tensor:
        return ((outputs - target).square() * batch["weight"][:, None]).sum() / batch["weight"].sum()

    def count(self, outputs: Tensor, target: Tensor, batch: Sample) -> Tensor:
        return batch["weight"].sum()


def numbers(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator)


def integers(high: int, *shape: int) -> Tensor:
    return torch.randint(high, shape, generator=generator)


generator = torch.Generator().manual_seed(3)


def text(number: int) -> Sample:
    """The third text is nothing but padding."""
    length = 2 + number % 4
    target = integers(3, length)
    return {"input": numbers(3, length), "target": torch.full_like(target, 9) if number == 2 else target}


def mask(number: int) -> Sample:
    target = integers(3, 4, 5)
    target[0] = 255
    return {"input": numbers(3, 4, 5), "target": torch.full_like(target, 255) if number == 2 else target}


def scene(number: int) -> Sample:
    """Every third picture has no object."""
    start = torch.rand(number % 3, 2, generator=generator) * 0.6
    boxes = torch.cat([start, start + 0.15 + 0.2 * torch.rand(number % 3, 2, generator=generator)], dim=1)
    return {"logits": numbers(16, 4), "offsets": numbers(16, 4), "boxes": boxes, "labels": integers(3, number % 3)}


def pair(number: int) -> Sample:
    return {"input": numbers(4), "target": numbers(4), "weight": torch.tensor(float(number % 3 + 0.5))}


def shares(number: int) -> Sample:
    return {"input": numbers(3, 2), "target": numbers(3, 2).softmax(dim=0)}


ELEMENTWISE = {name: getattr(losses, name)() for name in ("mse", "l1", "smooth_l1", "huber")}
CASES: dict[str, tuple[Callable[[int], Sample], Task, nn.Module]] = {
    "cross_entropy": (text, Padded(), losses.CrossEntropy(ignore_index=9)),
    "cross_entropy, weighted and smoothed": (text, Padded(), losses.CrossEntropy(9, 0.1, [0.3, 1.0, 2.5])),
    "cross_entropy, of shares": (shares, Plain(), losses.CrossEntropy()),
    "kl_divergence": (shares, Plain(), losses.KLDivergence()),
    "binary_cross_entropy": (shares, Plain(), losses.binary_cross_entropy()),
    **{name: (pair, Plain(), loss) for name, loss in ELEMENTWISE.items()},
    "dice": (mask, Plain(), Dice()),
    **{
        f"multibox, {classification}, {box}": (scene, Boxes(), MultiboxLoss(classification=classification, box=box))
        for classification in ("cross_entropy", "focal")
        for box in ("smooth_l1", "giou")
    },
    "two parts": (pair, Plain(), TwoParts()),
    "a parameter of its own": (pair, Plain(), Learned()),
    "the batch": (pair, Plain(), WithBatch()),
}
ALONE = {"style_transfer"}  # its batch is one pair of pictures


class Pieces:
    """An epoch of samples, cut so."""

    def __init__(self, task: Task, samples: list[Sample], sizes: tuple[int, ...]) -> None:
        starts = [sum(sizes[:number]) for number in range(len(sizes))]
        self.batches = [task.collate(samples[start : start + size]) for start, size in zip(starts, sizes, strict=True)]
        self.samples = len(samples)

    def __len__(self) -> int:
        return len(self.batches)

    def epoch(self, epoch: int, first: int = 0) -> Iterator[Sample]:
        return iter(self.batches[first:])


def test_every_loss_has_a_case() -> None:
    known = {component.name for component in Catalog().of_kind("loss") if component.plugin != "tiny"}
    assert known - ALONE <= {name.partition(",")[0] for name in CASES}


def _step(learner: Learner, batches: Pieces) -> tuple[dict[str, float], list[Tensor]]:
    """The figures of one step over all batches, and the gradients that it left."""
    params = [*learner.model.parameters(), *learner.own_parameters()]
    update = Update(torch.optim.SGD(params, lr=0.0))
    (step,) = fit(learner, batches, update, steps=1, accumulate=len(batches))  # type: ignore[arg-type]
    assert step.examples == SIZE
    return {"loss": step.loss.item(), **{name: part.item() for name, part in step.parts.items()}}, [
        param.grad.clone() for param in params if param.grad is not None
    ]


@pytest.mark.parametrize("case", CASES)
def test_a_step_is_that_of_one_large_batch(case: str) -> None:
    make, task, loss = CASES[case]
    samples = [make(number) for number in range(SIZE)]
    learner = Learner(Scaled(), task, loss)
    figures, gradients = _step(learner, Pieces(task, samples, PIECES))

    values = learner(task.collate(samples)).values
    params = [*learner.model.parameters(), *learner.own_parameters()]
    expected = torch.autograd.grad(sum(values.values()), params)
    for gradient, own in zip(gradients, expected, strict=True):
        torch.testing.assert_close(gradient, own, rtol=2e-5, atol=1e-6)
        assert own.abs().sum() > 0
    for name, value in values.items():
        assert figures[name] == pytest.approx(value.item(), rel=1e-5)
    assert figures["loss"] == pytest.approx(sum(values.values()).item(), rel=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_an_evaluation_is_that_of_one_large_batch(case: str) -> None:
    make, task, loss = CASES[case]
    samples = [make(number) for number in range(SIZE)]
    learner = Learner(Scaled(), task, loss)
    values = {name: value.item() for name, value in learner(task.collate(samples)).values.items()}
    expected = {"val/loss": sum(values.values())}
    if values.keys() != {"loss"}:
        expected |= {f"val/loss_{name}": value for name, value in values.items()}
    for sizes in ((1,) * SIZE, PIECES, (SIZE,)):
        own = Scoring(learner, {}, Pieces(task, samples, sizes), "val", CPU)  # type: ignore[arg-type]
        assert evaluate(own) == pytest.approx(expected, rel=1e-5)


def test_two_parts_by_hand() -> None:
    """Words are in the first and the third batch only, three of them; pairs are five."""
    outputs = torch.tensor([[1.0, 2.0], [3.0, 1.0], [0.0, 1.0], [2.0, 2.0], [4.0, 0.0]])
    target = torch.tensor([[2.0, 0.0], [0.0, 0.0], [0.0, 0.0], [2.0, 2.0], [0.0, 0.0]])
    samples = [{"input": row, "target": wanted} for row, wanted in zip(outputs, target, strict=True)]
    task = Plain()
    model = Scaled()
    with torch.no_grad():
        model.weight.fill_(1.0)
        model.shift.fill_(0.0)
    learner = Learner(model, task, TwoParts())
    for sizes in ((1, 2, 2), (5,), (1, 1, 1, 1, 1)):
        batches = Pieces(task, samples, sizes)
        update = Update(torch.optim.SGD(model.parameters(), lr=0.0))
        (step,) = fit(learner, batches, update, steps=1, accumulate=len(batches))  # type: ignore[arg-type]
        assert step.parts["words"].item() == pytest.approx((0 + 1 + 1) / 3)
        assert step.parts["pairs"].item() == pytest.approx((1.0 + 1.5 + 0.0 + 1.5 + 1.5) / 5)
        # d/dw: words 2 (wx - 1) x at x = 1, 2, 2 over 3; pairs sign(mean - 0.5) mean, over 5; at 0.5 the slope is 0.
        assert model.weight.grad is not None
        assert model.weight.grad.item() == pytest.approx((0 + 4 + 4) / 3 + (1.5 + 2 + 0 + 2 + 2) / 5)
