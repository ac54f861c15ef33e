"""What optimizers and schedules promise: they change what they should, and go on where a checkpoint left them."""

from __future__ import annotations

from typing import Any

from zoo.registry.component import Component
from zoo.testing.building import build, make
from zoo.testing.model_contracts import through_a_checkpoint
from zoo.testing.verdict import require


def updates_weights(optimizer: Component) -> None:
    """One step changes what it optimizes."""
    import torch

    built, _ = build(optimizer)
    params = [param for group in built.param_groups for param in group["params"]]
    before = [param.detach().clone() for param in params]
    _step(built, 0)
    require(not all(map(torch.equal, before, params)), "a step changes no weight")


def optimizer_resumes(optimizer: Component) -> None:
    """Two steps, the state saved and loaded, and a third give the weights of three in a row, bit for bit."""
    import torch

    unbroken, before, after = make(optimizer), make(optimizer), make(optimizer)
    for number in range(3):
        _step(unbroken, number)
    for number in range(2):
        _step(before, number)
    with torch.no_grad():
        for own, param in zip(_params(after), _params(before), strict=True):
            own.copy_(param)
    after.load_state_dict(through_a_checkpoint(before.state_dict()))
    _step(after, 2)
    same = all(map(torch.equal, _params(unbroken), _params(after)))
    require(same, "a third step after saving and loading differs from three in a row: is its state dict complete?")


def schedule_resumes(schedule: Component) -> None:
    """Four steps, the state saved and loaded, and four more have the rates of eight in a row."""
    unbroken, before, after = make(schedule), make(schedule), make(schedule)
    rates = _rates(unbroken, range(8))
    first = _rates(before, range(4))
    after.optimizer.load_state_dict(through_a_checkpoint(before.optimizer.state_dict()))
    after.load_state_dict(through_a_checkpoint(before.state_dict()))
    both = first + _rates(after, range(4, 8))
    require(both == rates, f"its rates are {rates}, and with saving and loading after four steps {both}")


def _params(optimizer: Any) -> list[Any]:
    return [param for group in optimizer.param_groups for param in group["params"]]


def _step(optimizer: Any, number: int) -> None:
    """One step with gradients that follow from its number."""
    import torch

    generator = torch.Generator().manual_seed(number)
    for param in _params(optimizer):
        param.grad = torch.randn(param.shape, generator=generator)
    optimizer.step()


def _rates(schedule: Any, steps: range) -> list[float]:
    """The first group's rate at each step. One that waits for a figure is given ever worse ones."""
    rates = []
    for number in steps:
        _step(schedule.optimizer, number)
        rates.append(schedule.optimizer.param_groups[0]["lr"])
        schedule.step(*([float(number)] if hasattr(schedule, "num_bad_epochs") else []))
    return rates
