"""What a run counts and averages between two lines of its log, by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from zoo import RunFailed
from zoo.jobs.progress import Progress, require_finite
from zoo.training.loop import Step


def step(number: int, loss: float, lr: float = 0.1, **parts: float) -> Step:
    named: dict[str, Any] = {name: torch.tensor(value) for name, value in parts.items()}
    return Step(number, (number - 1) // 5, torch.tensor(loss), named, examples=16 + number, lr=lr)


def test_a_window_is_the_mean_of_its_steps_and_is_taken_once() -> None:
    """The rate is the last one; a part counts in the steps that have it."""
    progress = Progress()
    for own in (step(1, 1.0, box=4.0), step(2, 2.0, box=8.0, loss_odd=1.0), step(3, 6.0, lr=0.3)):
        progress.add(own)
    assert (progress.step, progress.examples) == (3, 17 + 18 + 19)
    assert progress.take_window(5) == pytest.approx({"loss": 3.0, "loss_box": 6.0, "loss_odd": 1.0, "lr": 0.3})
    assert progress.take_window(5) == {}


@pytest.mark.parametrize(
    ("number", "place"), [(1, "epoch 1, batch 1"), (5, "epoch 1, batch 5"), (6, "epoch 2, batch 1")]
)
def test_a_loss_that_is_not_finite_has_a_place(number: int, place: str) -> None:
    progress = Progress()
    progress.add(step(number, float("-inf")))
    with pytest.raises(RunFailed, match=rf"the loss is -inf at step {number} \({place} of 5\)"):
        progress.take_window(5)


def test_weights_that_are_not_finite_are_named() -> None:
    model = torch.nn.Linear(2, 1)
    require_finite(model, 3)
    model.bias.data.fill_(float("inf"))
    with pytest.raises(RunFailed, match="weights are not finite after step 3: bias"):
        require_finite(model, 3)
