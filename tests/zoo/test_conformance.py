"""The conformance kit: first-party components pass it, and each of its contracts catches what breaks it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from zoo import Component, Data, InputError, TensorSplit, dataset, hookimpl, loss, metric, model, optimizer, task
from zoo.plugins import installed
from zoo.testing import Check, checks_of
from zoo.testing.contracts import contracts_of

HERE = __name__


@pytest.mark.parametrize("check", [*checks_of("basics"), *checks_of("detection"), *checks_of("vision")], ids=str)
def test_first_party_components_keep_the_contracts(check: Check) -> None:
    check()


class Bare(nn.Module):
    def __init__(self, num_inputs: int) -> None:
        super().__init__()


class Unannotated(nn.Module):
    """Its width has no type."""

    def __init__(self, num_inputs: int, width=3) -> None:
        super().__init__()


class Swallows(nn.Module):
    """Takes anything."""

    def __init__(self, num_inputs: int, **rest: int) -> None:
        super().__init__()


class Stuck(nn.Linear):
    """Its output hangs on no weight."""

    def __init__(self, num_inputs: int) -> None:
        super().__init__(num_inputs, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 0 * super().forward(x)


class Forgets(nn.Linear):
    """Draws an offset that its state dict does not have."""

    def __init__(self, num_inputs: int) -> None:
        super().__init__(num_inputs, 1)
        self.offset = random.random()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) + self.offset


class Draws(nn.Module):
    """A loss that draws when it is made."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = random.random()


def drawn() -> Data:
    """Drawn from torch's global generator."""
    x = torch.rand(4, 1)
    return Data({"train": TensorSplit(input=x, target=x)})


def empty() -> Data:
    """A split without a sample."""
    return Data({"train": TensorSplit(input=torch.zeros(0, 1))})


def a_list() -> Any:
    """No zoo.Data."""
    return [1, 2]


class NoReset:
    """Two thirds of a metric."""

    update = compute = print


def picky(num_classes: int) -> Any:
    """Refuses the usual facts, which is no reason to skip it."""
    raise InputError("not so many classes")


class NoTask:
    """Has nothing of a task."""


class Idle(torch.optim.SGD):
    """Steps nowhere."""

    def __init__(self, params: Any, lr: float = 0.1) -> None:
        super().__init__(params, lr=lr)

    def step(self, closure: Any = None) -> None: ...


BROKEN = {
    "is_documented": [model("bare", f"{HERE}:Bare", task="curve", summary="without a docstring")],
    "has_a_signature": [
        model("unannotated", f"{HERE}:Unannotated", task="curve", summary="a parameter without a type"),
        model("swallows", f"{HERE}:Swallows", task="curve", summary="takes anything"),
    ],
    "is_built": [
        dataset("empty", f"{HERE}:empty", summary="a split without a sample"),
        dataset("a_list", f"{HERE}:a_list", summary="no zoo.Data"),
        metric("no_reset", f"{HERE}:NoReset", summary="two thirds of a metric"),
        metric("picky", f"{HERE}:picky", summary="refuses the usual facts"),
        task("no_task", f"{HERE}:NoTask", summary="nothing of a task"),
    ],
    "draws_nothing": [
        dataset("drawn", f"{HERE}:drawn", summary="drawn from torch's global generator"),
        loss("draws", f"{HERE}:Draws", summary="drawn from Python's global generator"),
    ],
    "trains": [model("stuck", f"{HERE}:Stuck", task="curve", summary="its output hangs on no weight")],
    "saves_and_loads": [model("forgets", f"{HERE}:Forgets", task="curve", summary="forgets an offset")],
    "updates_weights": [optimizer("idle", f"{HERE}:Idle", summary="steps nowhere")],
}


@pytest.fixture
def broken_parts() -> Iterator[None]:
    """The plugin `broken`, whose every component breaks one contract."""
    parts = [part for several in BROKEN.values() for part in several]
    plugin = SimpleNamespace(zoo_components=hookimpl(lambda: parts), __name__=HERE)
    plugins = installed()
    plugins.register(plugin, "broken")
    yield
    plugins.unregister("broken")


@pytest.mark.parametrize(
    "contract, component", [(name, part) for name, parts in BROKEN.items() for part in parts], ids=str
)
def test_each_contract_catches_what_breaks_it(contract: str, component: Component, broken_parts: None) -> None:
    (holds,) = [holds for holds in contracts_of(component.kind) if holds.__name__ == contract]
    with pytest.raises((pytest.fail.Exception, InputError)):
        holds(component.of("broken"))


def test_a_librarys_hidden_parameters_are_reported(broken_parts: None) -> None:
    """A plugin cannot change them, but its author should know that no recipe reaches them."""
    component = model("adam", "torchvision.models:resnet18", summary="takes **kwargs").of("broken")
    holds = contracts_of("model")[1]
    with pytest.warns(UserWarning, match=r"kwargs: Any` is out of every recipe's reach"):
        holds(component)


def test_a_component_that_no_recipe_trains_is_told_so(broken_parts: None) -> None:
    component = model("stuck", f"{HERE}:Stuck", task="juggling", summary="").of("broken")
    with pytest.raises(pytest.fail.Exception, match="no shipped recipe trains it"):
        contracts_of("model")[3](component)


@pytest.mark.parametrize("name, said", [("tinny", "did you mean `tiny`?"), ("zzz", "no zoo plugin `zzz`")])
def test_an_unknown_plugin_is_a_usage_error(name: str, said: str) -> None:
    with pytest.raises(pytest.UsageError, match=said.replace("?", r"\?")):
        checks_of(name)
