"""What `[train]` can ask for, each held against the obvious way to do it: gradients, rates, speed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import zoo
from tests.zoo.probe_parts import Bells
from tests.zoo.training import RECIPE, Recorder, experiment, heard_by, left, run, state, trained, weights
from zoo import InputError
from zoo.jobs.experiment import Experiment
from zoo.runs.folder import Folder

pytestmark = pytest.mark.usefixtures("probe_parts")

PER_EPOCH = 5  # 72 samples in batches of 16


def rates(out: Path, settings: dict[str, Any] | None = None, **train: Any) -> list[float]:
    run(out, settings, listener := Recorder(), **train)
    return [step.lr for step in listener.steps]


# How long


def test_epochs_and_steps(tmp_path: Path) -> None:
    """An epoch has five batches, the last of them half full."""
    for name, train, examples in (
        ("epochs", {"epochs": 3}, [16, 16, 16, 16, 8] * 3),
        ("fixed", {"fixed_batches": True}, [16] * 8),
        ("one", {"batch_size": 100}, [72] * 2),
        ("accumulated", {"accumulate": 2}, [32, 32, 8] * 2),
    ):
        run(tmp_path / name, listener=(listener := Recorder()), **train)
        assert [step.examples for step in listener.steps] == examples
    in_steps = tmp_path / "steps.toml"
    in_steps.write_text(RECIPE.read_text().replace("epochs = 2", "steps = 7"))
    with heard_by(listener := Recorder()):
        zoo.run(in_steps, out=tmp_path / "steps")
    assert [step.examples for step in listener.steps] == [16, 16, 16, 16, 8, 16, 16]


# Gradients


@pytest.mark.parametrize("loss", ["squared_error", "positives"])
@pytest.mark.parametrize("dataset", ["sine_curve", "positive_line"])
def test_accumulated_batches_are_one_big_batch(loss: str, dataset: str) -> None:
    """48 = 3 x 16 samples a step, and an epoch's last step of 16 + 8: a mean over unequal batches, and over targets
    that count, of which some batches have none. In doubles: what is left is the weights' own rounding, in fp32."""
    size = {"dataset": {"name": dataset, "size": 72}, "loss": loss}
    small = _doubled(experiment(size, batch_size=16, accumulate=3))
    big = _doubled(experiment(size, batch_size=48))
    assert small.total_steps == big.total_steps == 4
    trained(small), trained(big)
    for name, tensor in state(big).items():
        torch.testing.assert_close(state(small)[name], tensor, rtol=1e-6, atol=1e-8)


def test_accumulated_batches_in_which_nothing_counts() -> None:
    """The first batch of a step, and all of them: no 0 / 0."""
    parts = experiment({"dataset": "positive_line", "loss": "positives"}, accumulate=2)
    batches = list(parts.batches.epoch(0))
    for batch in batches:
        batch["target"] = -batch["target"].abs()
    batches[1]["target"] = batches[1]["target"].abs()
    parts.batches = _Fixed(batches)
    trained(parts, steps=2)
    assert all(tensor.isfinite().all() for tensor in state(parts).values())


class _Fixed:
    def __init__(self, batches: list[Any]) -> None:
        self.batches = batches

    def __len__(self) -> int:
        return len(self.batches)

    def epoch(self, epoch: int, first: int = 0) -> Any:
        return iter(self.batches[first:])


def _doubled(parts: Experiment) -> Experiment:
    parts.model.double()
    split = parts.batches
    split.tensors = {name: tensor.double() for name, tensor in split.tensors.items()}
    return parts


def test_clip_norm_bounds_the_update() -> None:
    """Plain SGD moves by lr x gradient: by exactly lr x clip_norm where the gradient is longer."""
    parts = experiment(clip_norm=1e-3)
    before = state(parts)
    trained(parts, steps=1)
    moved = torch.cat([(tensor - before[name]).flatten() for name, tensor in state(parts).items()])
    assert moved.norm().item() == pytest.approx(0.1 * 1e-3, rel=1e-3)


# Rates


def test_warm_up_and_linear_scaling(tmp_path: Path) -> None:
    assert rates(tmp_path / "plain") == [0.1] * 10
    assert rates(tmp_path / "scaled", lr_per=64) == pytest.approx([0.1 * 16 / 64] * 10)
    assert rates(tmp_path / "both", lr_per=64, accumulate=2) == pytest.approx([0.1 * 32 / 64] * 6)
    assert rates(tmp_path / "steps", warmup_steps=4) == pytest.approx([0.025, 0.05, 0.075] + [0.1] * 7)
    assert rates(tmp_path / "epochs", warmup_epochs=0.8) == pytest.approx([0.025, 0.05, 0.075] + [0.1] * 7)


def test_a_schedule_under_warm_up(tmp_path: Path) -> None:
    """The share of the rate that the schedule has at that step; the log has the same."""
    scheduled = rates(tmp_path / "cosine", {"schedule": "cosine"})
    assert scheduled[0] == pytest.approx(0.1) and scheduled == sorted(scheduled, reverse=True)
    warmed = rates(tmp_path / "warm", {"schedule": "cosine"}, warmup_steps=4, log_every_steps=1)
    assert warmed == pytest.approx([rate * min(1, n / 4) for n, rate in enumerate(scheduled, 1)])
    assert [event["lr"] for event in Folder(tmp_path / "warm").log.events() if "lr" in event] == warmed


# What changes nothing, and what changes only speed


def test_workers_change_nothing(tmp_path: Path) -> None:
    for workers in (0, 1, 2):
        run(tmp_path / str(workers), {"dataset.in_memory": False}, workers=workers)
    assert left(tmp_path / "0") == left(tmp_path / "1") == left(tmp_path / "2")


def test_channels_last(tmp_path: Path) -> None:
    settings = {"model": "pictured"}
    parts = experiment(settings, channels_last=True)
    assert parts.model.second.weight.is_contiguous(memory_format=torch.channels_last)
    run(tmp_path / "last", settings, channels_last=True)
    run(tmp_path / "first", settings)
    for name, tensor in weights(tmp_path / "last").items():
        torch.testing.assert_close(tensor, weights(tmp_path / "first")[name])


def test_deterministic_mode_is_set_and_taken_back() -> None:
    experiment(deterministic=True)
    assert torch.are_deterministic_algorithms_enabled()
    experiment()
    assert not torch.are_deterministic_algorithms_enabled()


def test_bf16_multiplies_in_bf16_and_scores_in_fp32(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model's products are bf16; weights, what the loss gets and what metrics get are fp32."""
    seen: dict[str, set[torch.dtype]] = {"loss": set(), "metric": set(), "product": set()}
    monkeypatch.setattr(Bells, "loss", lambda outputs: seen["loss"].add(outputs.dtype))
    monkeypatch.setattr(Bells, "metric", lambda outputs: seen["metric"].add(outputs.dtype))
    linear = nn.Linear.forward

    def noted(self: nn.Linear, x: torch.Tensor) -> torch.Tensor:
        product = linear(self, x)
        seen["product"].add(product.dtype)
        return product

    monkeypatch.setattr(nn.Linear, "forward", noted)
    settings = {"eval.metrics": [{"name": "scripted", "values": [0.5, 0.6, 0.7]}]}
    results = run(tmp_path, settings, precision="bf16")
    assert results["precision"] == "bf16"
    assert seen == {"loss": {torch.float32}, "metric": {torch.float32}, "product": {torch.bfloat16}}
    assert {tensor.dtype for tensor in weights(tmp_path).values()} == {torch.float32}


def test_fp16_needs_a_gpu() -> None:
    with pytest.raises(InputError, match="needs a GPU"):
        experiment(precision="fp16")


def test_a_device_that_is_not_there() -> None:
    with pytest.raises(InputError, match="device `cuda:99`"):
        experiment(device="cuda:99")


@pytest.mark.parametrize(
    ("asked", "fused"), [({}, True), ({"fused": False}, False), ({"foreach": True}, False), ({"foreach": False}, True)]
)
def test_optimizers_are_fused_unless_the_recipe_excludes_it(asked: dict[str, bool], fused: bool) -> None:
    """torch's refuse to be fused and for-each at once."""
    optimizer = experiment({"optimizer": {"name": "adam", "lr": 0.1, **asked}}).update.optimizer
    assert bool(optimizer.defaults["fused"]) is fused
    assert bool(optimizer.defaults["foreach"]) is asked.get("foreach", False)
