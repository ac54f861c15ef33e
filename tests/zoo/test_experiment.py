"""A recipe, built: steps, rates and batches, worked out by hand from its settings."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.zoo.training import experiment
from zoo import InputError
from zoo.jobs.progress import Progress
from zoo.jobs.scoring import split_of
from zoo.jobs.train import summary

pytestmark = pytest.mark.usefixtures("probe_parts")


@pytest.mark.parametrize(
    ("train", "steps", "per_epoch"),
    [
        ({}, 10, 5),
        ({"accumulate": 2}, 6, 3),
        ({"accumulate": 5}, 2, 1),
        ({"epochs": 3, "fixed_batches": True}, 12, 4),
        ({"batch_size": 100}, 2, 1),
    ],
)
def test_the_length_of_a_run(train: dict[str, Any], steps: int, per_epoch: int) -> None:
    """72 samples in batches of 16 are 5 batches; what is accumulated makes one step, the rest of an epoch another."""
    parts = experiment(**train)
    assert (parts.total_steps, parts.steps_per_epoch) == (steps, per_epoch)


def rate_after(parts: Any, steps: int) -> float:
    return float(parts.update.schedule.lr_lambdas[0](steps))


@pytest.mark.parametrize(("accumulate", "per_epoch"), [(1, 5), (2, 3)])
def test_a_schedule_knows_the_steps_of_the_run_and_of_an_epoch(accumulate: int, per_epoch: int) -> None:
    """A straight line to nothing at the last step; a stair after each epoch. They count steps, not batches."""
    line = experiment({"schedule": "polynomial"}, accumulate=accumulate)
    expected = [1 - step / (2 * per_epoch) for step in range(2 * per_epoch + 1)]
    assert [rate_after(line, step) for step in range(2 * per_epoch + 1)] == pytest.approx(expected)
    stairs = experiment({"schedule": {"name": "step", "step_size": 1, "gamma": 0.5}}, accumulate=accumulate)
    assert [rate_after(stairs, step) for step in (per_epoch - 1, per_epoch, 2 * per_epoch)] == [1, 0.5, 0.25]


def test_warm_up_in_epochs_and_in_steps() -> None:
    """1.5 epochs of 5 steps are 7.5 steps, of 3 steps 4.5: rounded to an even number."""
    settings: list[dict[str, Any]] = [
        {}, {"warmup_steps": 7}, {"warmup_epochs": 2}, {"warmup_epochs": 1.5}, {"warmup_epochs": 1.5, "accumulate": 2},
    ]  # fmt: skip
    assert [experiment(**train).update.warmup_steps for train in settings] == [0, 7, 10, 8, 4]


def test_a_rate_for_another_batch_is_scaled() -> None:
    """By hand: 0.1 x 16 x 3 / 32, in every group."""
    parts = experiment(lr_per=32, accumulate=3, groups=[{"params": [":bias"], "lr": 1.0}])
    assert [group["lr"] for group in parts.update.optimizer.param_groups] == pytest.approx([0.15, 1.5])


def test_scoring_takes_twice_the_batch_unless_it_is_said() -> None:
    def largest(parts: Any) -> int:
        return max(len(batch["input"]) for batch in parts.scoring.batches.epoch(0))

    assert largest(experiment({"dataset": "positive_line"})) == 32
    assert largest(experiment({"dataset": "positive_line", "eval.batch_size": 7})) == 7


def test_what_is_scored_is_the_average_where_there_is_one() -> None:
    plain, averaged = experiment(), experiment(ema=0.9, clip_norm=0.5)
    assert plain.scoring.model is plain.model and plain.update.ema is None and plain.update.clip_norm is None
    assert averaged.update.ema is not None and averaged.scoring.model is averaged.update.ema.model
    assert averaged.update.clip_norm == 0.5 and averaged.update.scaler is None


def test_training_is_shuffled_from_the_seed_and_scoring_is_not() -> None:
    batches = [
        torch.cat([batch["input"] for batch in experiment({"dataset": "positive_line"}, seed=seed).batches.epoch(0)])
        for seed in (0, 0, 1)
    ]
    assert torch.equal(batches[0], batches[1]) and not torch.equal(batches[0], batches[2])
    parts = experiment({"dataset": "positive_line"})
    scored = torch.cat([batch["input"] for batch in parts.scoring.batches.epoch(0)])
    assert torch.equal(scored, parts.data.splits["val"].tensors["input"])


def test_deterministic_algorithms_are_asked_for_and_put_back() -> None:
    experiment(deterministic=True)
    assert torch.are_deterministic_algorithms_enabled()
    experiment()
    assert not torch.are_deterministic_algorithms_enabled()


def test_rates_of_a_run_by_hand() -> None:
    """100 examples in 10 seconds, of which 6 were spent waiting for batches."""
    parts = experiment()
    progress = Progress(step=7, best_step=5, examples=100, train_seconds=10.0, data_seconds=6.0, seconds=99.0)
    assert summary(parts, progress) == {
        "steps": 7,
        "best_step": 5,
        "examples_per_second": 10.0,
        "examples_per_second_less_loading": 25.0,
        "device": "cpu",
        "precision": "fp32",
    }
    assert "best_step" not in summary(experiment(keep="last"), progress)
    assert summary(parts, Progress())["examples_per_second"] == 0


def test_a_split_that_is_not_there_or_is_empty() -> None:
    data = experiment({"dataset": "positive_line"}).data
    with pytest.raises(InputError, match=r"no split `vall`\n.*did you mean `val`\? there are `train`, `val`"):
        split_of(data, "vall")
    data.splits["val"] = []  # type: ignore[index]
    with pytest.raises(InputError, match="the split `val` of the dataset is empty"):
        split_of(data, "val")


def test_first_values_follow_from_the_seed() -> None:
    first, again, other = (experiment(seed=seed).model.head.weight for seed in (5, 5, 6))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_time_spent_waiting_for_batches_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that goes on by 3 while a batch is made, and by 100 while it is used; two batches a step."""
    now = [0.0]
    monkeypatch.setattr("zoo.training.loop.perf_counter", lambda: now[0])
    parts = experiment(accumulate=2)
    made = parts.batches.epoch

    def slow(epoch: int, first: int = 0) -> Any:
        for batch in made(epoch, first):
            now[0] += 3
            yield batch

    monkeypatch.setattr(parts.batches, "epoch", slow)
    progress = Progress()
    for step in parts.steps():
        now[0] += 100
        progress.add(step)
    assert progress.data_seconds == 2 * 5 * 3
