"""Parameters by pattern: groups, freezing, first values; and their moving average against its slow twin."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from tests.reference.loop import MovingAverage
from tests.zoo.training import experiment, run, state, trained, weights
from zoo import InputError
from zoo.training.parameters import MovingAverage as TorchAverage
from zoo.training.parameters import freeze, initialize, matching, parameter_groups

pytestmark = pytest.mark.usefixtures("probe_parts")


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


def test_norm_means_every_kind_of_normalisation() -> None:
    """By hand: torch's layers that normalise, with weights; and nothing else."""
    kinds = {
        "batch_1d": nn.BatchNorm1d(4), "batch_2d": nn.BatchNorm2d(4), "batch_3d": nn.BatchNorm3d(4),
        "synchronised": nn.SyncBatchNorm(4), "instance": nn.InstanceNorm2d(4, affine=True), "layer": nn.LayerNorm(4),
        "group": nn.GroupNorm(2, 4), "rms": nn.RMSNorm(4), "local": nn.LocalResponseNorm(2),
    }  # fmt: skip
    others = {"linear": nn.Linear(4, 4), "convolution": nn.Conv2d(4, 4, 1), "embedding": nn.Embedding(4, 4)}
    model = nn.ModuleDict({**kinds, **others, "deeper": nn.Sequential(nn.LayerNorm(4))})
    expected = {
        name for name, _ in model.named_parameters() if name.split(".")[0] in kinds or name.startswith("deeper")
    }
    assert set(matching(model, [":norm"])) == expected
    assert {"batch_1d.weight", "instance.bias", "group.weight", "rms.weight", "deeper.0.bias"} <= expected
    assert set(matching(nn.LayerNorm(4), [":norm"])) == {"weight", "bias"}


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
    same = {name for name in before if torch.equal(before[name], after[name])}
    assert same <= {"body.bias"}  # the norm behind it takes it away: its gradient is nothing but rounding


def test_frozen_parts_stay_after_evaluations_too(tmp_path: Path) -> None:
    """An evaluation puts modules back as they were: the frozen ones in evaluation mode."""
    settings = {"model.norm": True}
    first = experiment(settings, freeze=["norm.*"])
    run(tmp_path, settings, freeze=["norm.*"], evaluate_every_steps=1, keep="last")
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
    for _ in parts.steps():
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


class Shared(nn.Module):
    """A matrix under two names, and a parameter whose name only ends like a bias."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(2, 2)
        self.second = nn.Linear(2, 2)
        self.second.weight = self.first.weight
        self.unbias = nn.Parameter(torch.ones(1))


def test_patterns_over_names() -> None:
    """A tied parameter answers to both of its names and stands under the first; `:bias` is a whole name."""
    model = Shared()
    assert set(matching(model, ["second.*"])) == {"first.weight", "second.bias"}
    assert set(matching(model, [":bias"])) == {"first.bias", "second.bias"}
    assert set(matching(model, ["*bias", "first.weight"])) == {"first.bias", "second.bias", "unbias", "first.weight"}
    assert matching(nn.Linear(2, 2, bias=False), [":bias", ":norm"]) == {}


def test_frozen_parameters_are_in_no_group() -> None:
    model = Shared()
    for parameter in model.first.parameters():
        parameter.requires_grad_(False)
    groups = parameter_groups(model, [{"params": ["first.*", "second.*"], "lr": 1.0}, {"params": ["unbias"]}])
    assert [(group["params"], group.get("lr")) for group in groups] == [
        ([model.second.bias], 1.0),
        ([model.unbias], None),
    ]


def test_only_modules_that_are_frozen_whole_are_named() -> None:
    """And none that has no parameters: dropout goes on."""
    model = nn.ModuleDict({
        "frozen": nn.Sequential(nn.Linear(2, 2), nn.Dropout()),
        "partly": nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)),
    })  # fmt: skip
    named = {id(module): name for name, module in model.named_modules()}
    frozen = freeze(model, ["frozen.*", "partly.0.*"])
    assert {named[id(module)] for module in frozen} == {"frozen", "frozen.0", "partly.0"}
    assert {name for name, parameter in model.named_parameters() if parameter.requires_grad} == {
        "partly.1.weight", "partly.1.bias",
    }  # fmt: skip
    assert freeze(model, []) == []


def test_numbers_of_an_initialiser() -> None:
    """One number of `normal` is its deviation; two are mean and deviation."""
    layer = nn.Linear(100, 100)
    for written, mean, deviation in (("normal(3)", 0, 3), ("normal(5, 2)", 5, 2), ("uniform(1, 3)", 2, 1 / 3**0.5)):
        initialize(layer, {"weight": written})
        assert layer.weight.mean().item() == pytest.approx(mean, abs=0.15)
        assert layer.weight.std().item() == pytest.approx(deviation, rel=0.1)


def test_the_first_averages_follow_the_weights_closely() -> None:
    """By hand: the decay is 2 / 11, then 3 / 12, then at most 0.2; and the average is a model of its own."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    average = TorchAverage(model, 0.2)
    expected = 0.0
    for decay in (2 / 11, 0.2, 0.2):
        with torch.no_grad():
            model.weight += 1
        average.update()
        expected = decay * expected + (1 - decay) * model.weight.item()
        assert average.model.weight.item() == pytest.approx(expected)
    assert not average.model.training and not average.model.weight.requires_grad
