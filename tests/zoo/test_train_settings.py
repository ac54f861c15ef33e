"""What `[train]` can ask for, each held against the obvious way to do it: how weights are updated, and which."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.reference.loop import MovingAverage
from tests.zoo.probe_parts import Bells
from tests.zoo.training import Recorder, experiment, left, run, weights
from zoo import InputError
from zoo.fit import fit
from zoo.jobs.experiment import Experiment

pytestmark = pytest.mark.usefixtures("probe_parts")

PER_EPOCH = 5  # 72 samples in batches of 16


def trained(parts: Experiment, steps: int | None = None) -> Experiment:
    parts.model.train()
    for module in parts.frozen:
        module.eval()
    stream = fit(
        parts.model,
        parts.scoring.task,
        parts.scoring.loss,
        parts.batches,
        parts.update,
        steps=steps or parts.steps,
        accumulate=parts.train.accumulate,
        autocast=parts.scoring.autocast,
    )
    for _ in stream:
        pass
    return parts


def state(parts: Experiment) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in parts.model.state_dict().items()}


def rates(out: Path, settings: dict[str, Any] | None = None, **train: Any) -> list[float]:
    run(out, settings, listener := Recorder(), **train)
    return [step.lr for step in listener.steps]


# How long


def test_epochs_and_steps(tmp_path: Path) -> None:
    """An epoch has five batches, the last of them half full."""
    for name, train, examples in (
        ("epochs", {"epochs": 3}, [16, 16, 16, 16, 8] * 3),
        ("steps", {"steps": 7, "epochs": None}, [16, 16, 16, 16, 8, 16, 16]),
        ("fixed", {"fixed_batches": True}, [16] * 8),
        ("one", {"batch_size": 100}, [72] * 2),
        ("accumulated", {"accumulate": 2}, [32, 32, 8] * 2),
    ):
        if "steps" in train:
            recipe = tmp_path / "steps.toml"
            recipe.write_text((Path(__file__).parent / "probe.toml").read_text().replace("epochs = 2", "steps = 7"))
            import zoo

            zoo.run(recipe, out=tmp_path / name, listener=(listener := Recorder()))
        else:
            run(tmp_path / name, listener=(listener := Recorder()), **train)
        assert [step.examples for step in listener.steps] == examples


# Gradients


@pytest.mark.parametrize("loss", ["squared_error", "positives"])
@pytest.mark.parametrize("dataset", ["sine_curve", "positive_line"])
def test_accumulated_batches_are_one_big_batch(loss: str, dataset: str) -> None:
    """48 = 3 x 16 samples a step, and an epoch's last step of 16 + 8: a mean over unequal batches, and over targets
    that count, of which some batches have none. In doubles: what is left is the weights' own rounding, in fp32."""
    size = {"dataset": {"name": dataset, "size": 72}, "loss": loss}
    small = _doubled(experiment(size, batch_size=16, accumulate=3))
    big = _doubled(experiment(size, batch_size=48))
    assert small.steps == big.steps == 4
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
    from zoo.run_folder import Folder

    assert [event["lr"] for event in Folder(tmp_path / "warm").metrics() if "lr" in event] == warmed


# Parameters by pattern


def test_groups_have_settings_of_their_own() -> None:
    groups = [
        {"params": [":norm", ":bias"], "weight_decay": 0.0},
        {"params": ["head.*"], "lr": 0.5},
    ]
    parts = experiment({"model.norm": True, "optimizer.weight_decay": 0.1}, groups=groups)
    names = {id(parameter): name for name, parameter in parts.model.named_parameters()}
    found = {
        names[id(parameter)]: (group["lr"], group["weight_decay"])
        for group in parts.update.optimizer.param_groups
        for parameter in group["params"]
    }
    assert found == {
        "body.weight": (0.1, 0.1),
        "body.bias": (0.1, 0.0),
        "norm.weight": (0.1, 0.0),
        "norm.bias": (0.1, 0.0),
        "head.weight": (0.5, 0.1),
        "head.bias": (0.1, 0.0),  # the first match counts
    }


def test_no_decay_shows_in_the_weights() -> None:
    """With a decay that takes everything in one step, what is left is what the group protects."""
    groups = [{"params": [":bias"], "weight_decay": 0.0}]
    parts = experiment({"optimizer": {"name": "adamw", "lr": 1e-9, "weight_decay": 1e9}}, groups=groups)
    before = state(parts)
    trained(parts, steps=1)
    for name, tensor in state(parts).items():
        torch.testing.assert_close(tensor, before[name] if name.endswith("bias") else torch.zeros_like(tensor))


def test_frozen_parts_stay_as_they_are(tmp_path: Path) -> None:
    """Parameters, and the running statistics of normalisations that are frozen; the rest moves."""
    parts = experiment({"model.norm": True}, freeze=["body.*", "norm.*"])
    before = state(parts)
    after = state(trained(parts))
    same = {name for name in before if torch.equal(before[name], after[name])}
    assert same == {name for name in before if not name.startswith("head")}
    thawed = experiment({"model.norm": True})
    before, after = state(thawed), state(trained(thawed))
    assert not any(torch.equal(before[name], after[name]) for name in before)


def test_frozen_parts_stay_after_evaluations_too(tmp_path: Path) -> None:
    """An evaluation puts modules back as they were: the frozen ones in evaluation mode."""
    settings = {"model.norm": True}
    first = experiment(settings, freeze=["norm.*"])
    run(tmp_path, settings, freeze=["norm.*"], evaluate_every_steps=1)
    found = weights(tmp_path)
    for name, tensor in state(first).items():
        assert torch.equal(found[name], tensor) == name.startswith("norm"), name


def test_everything_frozen_is_an_error() -> None:
    with pytest.raises(InputError, match="nothing to train"):
        experiment(freeze=["*"])


@pytest.mark.parametrize("setting", ["freeze", "groups", "initialize"])
def test_a_pattern_that_matches_nothing_is_named(setting: str) -> None:
    value = {"freeze": ["hed.*"], "groups": [{"params": ["hed.*"]}], "initialize": {"hed.*": "zeros"}}[setting]
    with pytest.raises(InputError, match=r"`hed\.\*` matches no parameter[^`]*\n  help: did you mean `head"):
        experiment(**{setting: value})


def test_initialize_by_pattern() -> None:
    parts = experiment(initialize={"*.bias": "constant(3)", "head.weight": "normal(1e-6)", "body.weight": "zeros"})
    found = state(parts)
    assert all((found[name] == 3).all() for name in ("body.bias", "head.bias"))
    assert not found["body.weight"].any()
    assert 0 < found["head.weight"].abs().max() < 1e-4
    torch.manual_seed(0)
    wide = experiment({"model.width": 400}, initialize={"body.weight": "kaiming_normal"})
    assert wide.model.body.weight.std().item() == pytest.approx(2**0.5, rel=0.2)


@pytest.mark.parametrize(
    ("written", "message"),
    [("zeroes", "did you mean `zeros`"), ("normal(a)", "are no numbers"), ("orthogonal", "does not suit `body.bias`")],
)
def test_an_initialiser_that_is_none(written: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        experiment(initialize={"body.bias": written})


def test_the_moving_average_is_what_its_slow_twin_computes() -> None:
    """And it is what is scored; buffers are copied."""
    parts = experiment({"model.norm": True}, ema=0.9)
    twin = MovingAverage({name: tensor.detach() for name, tensor in parts.model.named_parameters()}, 0.9)
    parts.model.train()
    for _ in fit(
        parts.model, parts.scoring.task, parts.scoring.loss, parts.batches, parts.update, steps=parts.steps
    ):
        twin.update({name: tensor.detach() for name, tensor in parts.model.named_parameters()})
    averaged = parts.scoring.model
    assert averaged is not parts.model
    for name, tensor in averaged.named_parameters():
        torch.testing.assert_close(tensor, twin.values[name])
        assert not torch.equal(tensor, dict(parts.model.named_parameters())[name])
    assert torch.equal(averaged.norm.running_mean, parts.model.norm.running_mean)


def test_the_moving_average_is_saved(tmp_path: Path) -> None:
    settings = {"model.norm": True}
    parts = trained(experiment(settings, ema=0.9))
    run(tmp_path, settings, ema=0.9, keep="last")
    for name, tensor in weights(tmp_path).items():
        assert torch.equal(tensor, parts.scoring.model.state_dict()[name])


# What changes nothing, and what changes only speed


def test_workers_change_nothing(tmp_path: Path) -> None:
    for workers in (0, 1, 3):
        run(tmp_path / str(workers), {"dataset.in_memory": False}, workers=workers)
    assert left(tmp_path / "0") == left(tmp_path / "1") == left(tmp_path / "3")


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
    for device in ("cuda:99", "tpu", "cuda:x"):
        with pytest.raises(InputError, match=f"device `{device}`"):
            experiment(device=device)
