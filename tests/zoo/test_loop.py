"""`fit` against the loop that anyone would write, bit for bit; and what it may not do: wait for the device."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections import namedtuple
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import nn

from tests.reference import loop
from zoo.data import TensorSplit
from zoo.tasks import Task, in_fp32
from zoo.training.batches import Batches, make_batches
from zoo.training.lean_torch import keep_dynamo_out_of_steps
from zoo.training.learner import Learner
from zoo.training.loop import Step, Update, fit

SIZE, BATCH = 72, 16  # the last batch of an epoch has 8

Rates = torch.optim.lr_scheduler.LambdaLR


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def make_model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 16), nn.BatchNorm1d(16), nn.Tanh(), nn.Dropout(0.2), nn.Linear(16, 2))


def some_batches(transform: Any = None) -> Batches:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(SIZE, 3, generator=generator)
    split = TensorSplit(input=x, target=x[:, :2] * x[:, 1:], transform=transform)
    return make_batches(split, BATCH, torch.device("cpu"), Task().collate, seed=5, training=True)


def pairs(epoch: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    return [(batch["input"], batch["target"]) for batch in some_batches().epoch(epoch)]


def fitted(model: nn.Module, update: Update, steps: int = 12, start: int = 0, **options: Any) -> list[Step]:
    return list(fit(Learner(model, Task(), nn.MSELoss()), some_batches(), update, steps=steps, start=start, **options))


def same(first: nn.Module, second: nn.Module) -> bool:
    return all(torch.equal(tensor, second.state_dict()[name]) for name, tensor in first.state_dict().items())


def seeded(number: int = 7) -> None:
    torch.manual_seed(number)  # for dropout


# Every optimizer of zoo_basics, with what its fast and slow paths differ in
OPTIMIZERS: dict[str, Callable[[Any], torch.optim.Optimizer]] = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
    "sgd with momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-2),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01, amsgrad=True),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01),
    "adamw fused": lambda p: torch.optim.AdamW(p, lr=0.01, fused=True),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.01, momentum=0.5, centered=True),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.1),
    "adadelta": lambda p: torch.optim.Adadelta(p),
    "nadam": lambda p: torch.optim.NAdam(p, lr=0.01),
    "radam": lambda p: torch.optim.RAdam(p, lr=0.01),
}


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS.keys())
def test_the_same_bits_as_the_obvious_loop(make: Callable[[Any], torch.optim.Optimizer]) -> None:
    fast, slow = make_model(), make_model()
    seeded()
    steps = fitted(fast, Update(make(fast.parameters())), steps=15)
    seeded()
    losses = loop.train(slow, nn.MSELoss(), make(slow.parameters()), [pairs(0), pairs(1), pairs(2)])
    assert same(fast, slow)
    assert [step.loss.item() for step in steps] == losses
    assert not same(fast, make_model())


def test_muon_too() -> None:
    from zoo_basics.muon import Muon

    fast, slow = make_model(), make_model()
    seeded()
    fitted(fast, Update(Muon(fast.parameters(), lr=0.02)), steps=5)
    seeded()
    loop.train(slow, nn.MSELoss(), Muon(slow.parameters(), lr=0.02), [pairs(0)])
    assert same(fast, slow)


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS.keys())
def test_a_step_without_the_compiler_is_the_optimizer_s_step(make: Callable[[Any], torch.optim.Optimizer]) -> None:
    """Its state and weights after several steps, and its hooks in their order, against torch's own method."""
    models = make_model(), make_model()
    lean, plain = (make(model.parameters()) for model in models)
    keep_dynamo_out_of_steps(lean)
    calls: dict[int, list[str]] = {id(lean): [], id(plain): []}
    for optimizer in (lean, plain):
        optimizer.register_step_pre_hook(lambda hooked, *_: calls[id(hooked)].append("before"))
        optimizer.register_step_post_hook(lambda hooked, *_: calls[id(hooked)].append("after"))
    for number in range(5):
        for model in models:
            for index, parameter in enumerate(model.parameters()):
                generator = torch.Generator().manual_seed(10 * number + index)
                parameter.grad = torch.randn(parameter.shape, generator=generator)
        lean.step()
        plain.step()
    assert same(*models)
    assert calls[id(lean)] == calls[id(plain)] == 5 * ["before", "after"]
    for first, second in zip(lean.state.values(), plain.state.values(), strict=True):
        assert first.keys() == second.keys()
        assert all(torch.equal(torch.as_tensor(first[key]), torch.as_tensor(second[key])) for key in first)


def test_a_step_imports_no_compiler() -> None:
    """It would cost as much as torch; a new process, since tests import what they like."""
    code = (
        "import sys, torch\n"
        "from zoo.training.lean_torch import keep_dynamo_out, keep_dynamo_out_of_steps\n"
        "keep_dynamo_out()\n"
        "weight = torch.nn.Parameter(torch.ones(3))\n"
        "optimizer = torch.optim.AdamW([weight])\n"
        "keep_dynamo_out_of_steps(optimizer)\n"
        "weight.grad = torch.ones(3)\n"
        "optimizer.step()\n"
        "assert 'torch._dynamo' not in sys.modules and weight[0] != 1"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_fit_calls_the_hooks_of_a_step() -> None:
    model, calls = make_model(), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    optimizer.register_step_post_hook(lambda *_: calls.append(1))
    keep_dynamo_out_of_steps(optimizer)
    fitted(model, Update(optimizer), steps=7)
    assert len(calls) == 7


@pytest.mark.parametrize("clip_norm", [None, 0.05, 100.0])
@pytest.mark.parametrize("warmup_steps", [0, 4, 100])
@pytest.mark.parametrize("scheduled", [False, True])
def test_clipping_warm_up_and_schedule(clip_norm: float | None, warmup_steps: int, scheduled: bool) -> None:
    models = make_model(), make_model()
    optimizers = [torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9) for model in models]
    schedules = [Rates(each, lambda step: 0.9**step) if scheduled else None for each in optimizers]
    seeded()
    update = Update(optimizers[0], schedules[0], warmup_steps=warmup_steps, clip_norm=clip_norm)
    steps = fitted(models[0], update, steps=10)
    seeded()
    loop.train(
        models[1],
        nn.MSELoss(),
        optimizers[1],
        [pairs(0), pairs(1)],
        clip_norm=clip_norm,
        schedule=schedules[1],
        warmup_steps=warmup_steps,
    )
    assert same(*models)
    expected = [
        0.1 * (0.9 ** (n - 1) if scheduled else 1) * (min(1, n / warmup_steps) if warmup_steps else 1)
        for n in range(1, 11)
    ]
    assert [step.lr for step in steps] == pytest.approx(expected)


@pytest.mark.parametrize("start", range(1, 12))
def test_an_epoch_can_be_entered_anywhere(start: int) -> None:
    """Two halves are the whole, here without dropout, whose generator a checkpoint would carry over."""
    whole, halves = make_model(), make_model()
    for model in (whole, halves):
        model[3].p = 0.0
    update = Update(torch.optim.SGD(halves.parameters(), lr=0.1, momentum=0.9))
    steps = fitted(whole, Update(torch.optim.SGD(whole.parameters(), lr=0.1, momentum=0.9)))
    parts = fitted(halves, update, steps=start) + fitted(halves, update, start=start)
    assert same(whole, halves)
    assert [(step.number, step.epoch, step.examples) for step in parts] == [
        (step.number, step.epoch, step.examples) for step in steps
    ]


def test_what_a_step_says() -> None:
    model = make_model()
    steps = fitted(model, Update(torch.optim.SGD(model.parameters(), lr=0.1)), steps=11)
    assert [step.number for step in steps] == list(range(1, 12))
    assert [step.epoch for step in steps] == [0] * 5 + [1] * 5 + [2]
    assert [step.examples for step in steps] == [16, 16, 16, 16, 8] * 2 + [16]
    assert all(isinstance(step.loss, torch.Tensor) and not step.loss.requires_grad for step in steps)


def test_named_losses_are_summed_and_shown() -> None:
    class Named(nn.Module):
        def forward(self, outputs: torch.Tensor, target: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"square": (outputs - target).square().mean(), "size": 0.1 * outputs.abs().mean()}

    model = make_model()
    update = Update(torch.optim.SGD(model.parameters(), lr=0.1))
    for step in fit(Learner(model, Task(), Named()), some_batches(), update, steps=3):
        assert set(step.parts) == {"square", "size"}
        assert torch.equal(step.loss, step.parts["square"] + step.parts["size"])


def test_a_transform_draws_anew_each_epoch_and_the_same_each_time() -> None:
    """The noise itself is compared: the batches differ by their order in any case."""

    def noisy(batch: dict[str, Any], generator: torch.Generator) -> dict[str, Any]:
        return {**batch, "noise": torch.randn(4, generator=generator)}

    first, again, entered, second = (
        [batch["noise"] for batch in some_batches(noisy).epoch(epoch, begin)]
        for epoch, begin in ((0, 0), (0, 0), (0, 3), (1, 0))
    )
    assert all(map(torch.equal, first, again))
    assert all(map(torch.equal, first[3:], entered))
    assert not any(torch.equal(noise, other) for noise in first for other in second)


READS = ("item", "tolist", "numpy", "cpu", "__float__", "__int__", "__bool__", "__index__", "is_nonzero")


@pytest.mark.parametrize("accumulate", [1, 3])
@pytest.mark.parametrize("counted", [False, True], ids=["mean", "counted"])
def test_nothing_asks_the_device_for_a_number(monkeypatch: pytest.MonkeyPatch, accumulate: int, counted: bool) -> None:
    """Of all ways to turn a tensor into a Python number none is used: on a GPU each would wait for it.

    Optimizers keep their step counts on the CPU, where reading them costs nothing; SGD has none.
    """

    class Loss(nn.MSELoss):
        if counted:

            def count(self, outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
                return (target > 0).sum()

    model = make_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    update = Update(optimizer, Rates(optimizer, lambda step: 0.9**step), warmup_steps=3, clip_norm=0.1)
    steps = fit(Learner(model, Task(), Loss()), some_batches(), update, steps=8, accumulate=accumulate)
    next(steps)
    read: list[str] = []
    for name in READS:
        monkeypatch.setattr(torch.Tensor, name, _noting(name, getattr(torch.Tensor, name), read))
    assert len(list(steps)) == 7
    assert read == []
    assert float(torch.ones(1)) == 1 and read == ["__float__"]  # the notes are taken


def _noting(name: str, method: Callable[..., Any], read: list[str]) -> Callable[..., Any]:
    def noted(tensor: torch.Tensor, *arguments: Any, **keywords: Any) -> Any:
        read.append(name)
        return method(tensor, *arguments, **keywords)

    return noted


class Output(dict[str, Any]):
    """Outputs as libraries return them: items that are attributes, too."""

    @property
    def logits(self) -> torch.Tensor:
        logits: torch.Tensor = self["logits"]
        return logits


@dataclasses.dataclass
class Record:
    """Outputs of a class that is no container."""

    logits: torch.Tensor
    name: str = "record"


def test_outputs_in_fp32_are_of_the_same_classes() -> None:
    half = torch.ones(2, dtype=torch.bfloat16)
    point = namedtuple("point", ["x", "y"])(half, 3)
    for outputs in (Output(logits=half), Record(half)):
        converted = in_fp32(outputs)
        assert type(converted) is type(outputs)
        assert converted.logits.dtype == torch.float32
        assert outputs.logits.dtype == torch.bfloat16  # the model's own are left alone
    assert in_fp32(point).x.dtype == torch.float32 and in_fp32(point).y == 3
    assert [type(value) for value in (in_fp32([half]), in_fp32((half,)))] == [list, tuple]
    assert in_fp32(torch.ones(2, dtype=torch.float64)).dtype == torch.float64


def test_accumulation_weights_a_part_by_the_batches_that_have_it() -> None:
    """Batches of 16, 16, 16, 16, 8: the part is in every second one; worked out from the plain loss of each batch."""
    calls: list[float] = []

    def loss(outputs: torch.Tensor, target: torch.Tensor) -> dict[str, torch.Tensor]:
        value = (outputs - target).square().mean()
        calls.append(value.item())
        name = "odd" if len(calls) % 2 else "even"
        return {"all": value, name: 0 * value + len(calls)}

    model = make_model()
    update = Update(torch.optim.SGD(model.parameters()))
    stream = fit(Learner(model, Task(), loss), some_batches(), update, steps=1, accumulate=5)
    parts = {name: part.item() for name, part in next(stream).parts.items()}
    sizes = [16, 16, 16, 16, 8]
    assert parts["all"] == pytest.approx(sum(size * call for size, call in zip(sizes, calls, strict=True)) / 72)
    assert parts["odd"] == pytest.approx((16 * 1 + 16 * 3 + 8 * 5) / 40)
    assert parts["even"] == pytest.approx(3.0)
