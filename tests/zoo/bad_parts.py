"""Components that break one contract each, beside good ones. The conformance kit's tests use them."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import torch
from torch import nn

from zoo import (
    Batch,
    Component,
    Data,
    InputError,
    Task,
    TensorSplit,
    dataset,
    hookimpl,
    loss,
    metric,
    model,
    optimizer,
    schedule,
    task,
)

HERE = __name__


# Good parts


class Line(nn.Linear):
    """A straight line."""

    def __init__(self, num_inputs: int) -> None:
        super().__init__(num_inputs, 1)


def numbers(size: int = 16) -> Data:
    """Numbers and their doubles."""
    x = torch.linspace(-1, 1, size)[:, None]
    return Data(
        {"train": TensorSplit(input=x, target=2 * x), "val": TensorSplit(input=x, target=2 * x)}, {"num_inputs": 1}
    )


class Doubling(Task):
    """Double a number."""

    loss = "mse"

    def describe(self, sample: dict[str, Any], prediction: Any) -> dict[str, Any]:
        return {"double": prediction.item()}


class Backbone(nn.Module):
    """Features of pictures, by name: no whole model."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.body = nn.Conv2d(channels, 4, 3)

    def forward(self, pictures: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"features": self.body(pictures)}


def mean_error() -> Any:
    """The mean absolute error."""
    return nn.L1Loss()


class Largest:
    """The largest error."""

    def __init__(self) -> None:
        self.reset()

    def update(self, predictions: torch.Tensor, target: torch.Tensor) -> None:
        self.error = torch.maximum(self.error, (predictions - target).abs().max())

    def compute(self) -> torch.Tensor:
        return self.error

    def reset(self) -> None:
        self.error = torch.tensor(0.0)


# Models


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


class Plain(Line):
    """What the bad tasks train."""


class Alone(Line):
    """A model of a task that no recipe has."""


class Stuck(Line):
    """Its output hangs on no weight."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 0 * super().forward(x)


class Forgets(Line):
    """Draws an offset that its state dict does not have."""

    def __init__(self, num_inputs: int) -> None:
        super().__init__(num_inputs)
        self.offset = random.random()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) + self.offset


class Counts(Line):
    """Does something else at each training step, and its state dict does not say how many there were."""

    steps = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.steps += self.training
        return super().forward(x) * (1 + self.steps if self.training else 1)


class Forgetful(Backbone):
    """A part of a model, with an offset that its state dict does not have."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__(channels)
        self.offset = random.random()

    def forward(self, pictures: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"features": self.body(pictures) + self.offset}


# Data sets


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


def two_strata() -> Data:
    """Three samples, and strata of two."""
    return Data({"train": TensorSplit(input=torch.zeros(3, 1), strata=[0, 1])})


class _Jittered(torch.utils.data.Dataset[Any]):
    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return {"input": torch.randn(1), "target": torch.zeros(1)}


def jittered() -> Data:
    """Samples that are scored are drawn anew each time."""
    return Data({**numbers().splits, "val": _Jittered()})


def careless() -> Data:
    """A transform that draws from the global generator."""
    x = torch.linspace(-1, 1, 8)[:, None]

    def transform(batch: Batch, generator: torch.Generator) -> Batch:
        return {**batch, "input": batch["input"] + torch.randn(1)}

    return Data({"train": TensorSplit(input=x, target=x, transform=transform)})


def shuffled() -> Data:
    """A `batching` that draws from the global generator."""
    x = torch.linspace(-1, 1, 8)[:, None]
    return Data({"train": TensorSplit(input=x, target=x, batching=lambda size, _: torch.randperm(8).split(size))})


# Losses and metrics


class Draws(nn.Module):
    """A loss that draws when it is made."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = random.random()

    def forward(self, outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return (outputs - target).abs().mean()


def summed() -> Any:
    """A sum, and nothing says over what."""
    return nn.MSELoss(reduction="sum")


class Masked(nn.Module):
    """The mean over targets above 0, as its part `kept`, weighted by samples for want of a `count`."""

    def forward(self, outputs: torch.Tensor, target: torch.Tensor) -> dict[str, torch.Tensor]:
        kept = (target > 0) | (target == target.max())
        return {"kept": (outputs - target).abs()[kept].mean(), "all": outputs.square().mean()}


class NoReset:
    """Two thirds of a metric."""

    update = compute = print


def picky(num_classes: int) -> Any:
    """Refuses the usual facts, which is no reason to skip it."""
    raise InputError("not so many classes")


class Remembers(Largest):
    """Adds up errors for ever."""

    def __init__(self) -> None:
        self.error = torch.tensor(0.0)

    def update(self, predictions: torch.Tensor, target: torch.Tensor) -> None:
        self.error = self.error + (predictions - target).abs().sum()

    def reset(self) -> None:
        pass


class MeanOfMeans(Largest):
    """Weighs batches alike, however many samples they have."""

    def update(self, predictions: torch.Tensor, target: torch.Tensor) -> None:
        self.errors.append((predictions - target).abs().mean())

    def compute(self) -> torch.Tensor:
        return torch.stack(self.errors).mean()

    def reset(self) -> None:
        self.errors: list[torch.Tensor] = []


# Optimizers and schedules


class Idle(torch.optim.SGD):
    """Steps nowhere."""

    def __init__(self, params: Any, lr: float = 0.1) -> None:
        super().__init__(params, lr=lr)

    def step(self, closure: Any = None) -> None: ...


class Hides(torch.optim.SGD):
    """Keeps its momentum where no state dict has it."""

    def __init__(self, params: Any, lr: float = 0.1) -> None:
        super().__init__(params, lr=lr)
        self.moving: dict[Any, torch.Tensor] = {}

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for param in (param for group in self.param_groups for param in group["params"]):
            self.moving[param] = param.grad + 0.9 * self.moving.get(param, torch.zeros_like(param))
            param -= 0.1 * self.moving[param]


class Restarts:
    """Halves the rate at every third step, and forgets how many there were."""

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self.optimizer = optimizer
        self.steps = 0

    def step(self) -> None:
        self.steps += 1
        for group in self.optimizer.param_groups:
            group["lr"] *= 0.5 if self.steps % 3 == 0 else 1

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None: ...


# Tasks


class NoTask:
    """Has nothing of a task."""


class Fewer(Doubling):
    """Leaves the last prediction out."""

    def predict(self, model: Any, batch: Batch, outputs: Any = None) -> Any:
        return super().predict(model, batch, outputs)[:-1]


class Elsewhere(Doubling):
    """Monitors what nobody computes."""

    monitor = "val/accuracy"


class Changes(Doubling):
    """Scales its batch in place."""

    def forward(self, model: Any, batch: Batch) -> Any:
        return model(batch["input"].mul_(2))


class Infinite(Doubling):
    """Divides by zero."""

    def target(self, batch: Batch) -> Any:
        return batch["target"] / 0


class Squeezes(Doubling):
    """Loses the dimension of samples where there is one."""

    def predict(self, model: Any, batch: Batch, outputs: Any = None) -> Any:
        outputs = super().predict(model, batch, outputs)
        return outputs.squeeze() if len(outputs) > 1 else outputs.expand(2, 1)


class NoJson(Doubling):
    """Describes by a tensor."""

    def describe(self, sample: dict[str, Any], prediction: Any) -> dict[str, Any]:
        return {"double": prediction}


class NoImage(Doubling):
    """Draws an array of pixels."""

    def draw(self, sample: dict[str, Any], prediction: Any, truth: bool = False) -> Any:
        return torch.zeros(3, 8, 8)


class NoTruth(Doubling):
    """Can draw a prediction, and not the truth."""

    def draw(self, sample: dict[str, Any], prediction: Any, truth: bool = False) -> Any:
        return sample["boxes"] if truth else None


class NoTexts(Doubling):
    """Puts a number into a column of texts."""

    def texts(self, sample: dict[str, Any], prediction: Any) -> dict[str, Any]:
        return {"double": prediction.item()}


class OtherColumns(Doubling):
    """Names its column after the sample."""

    def texts(self, sample: dict[str, Any], prediction: Any) -> dict[str, str]:
        return {f"twice {sample['input'].item()}": "so much"}


class Pleased(Doubling):
    """Finds predictions better than right."""

    def difficulty(self, sample: dict[str, Any], prediction: Any) -> float:
        return -1.0


class Wordy(Doubling):
    """Answers with a list."""

    def answer(self, prediction: Any) -> Any:
        return [prediction.item()]


class Counting(Doubling):
    """Weighs each training step more than the last, and does not say how far it is."""

    steps = 0

    def forward(self, model: Any, batch: Batch) -> Any:
        self.steps += model.training
        return model(batch["input"]) * (1 + self.steps)


class Remembering(Counting):
    """The same, and says it."""

    def state_dict(self) -> dict[str, Any]:
        return {"steps": self.steps}

    def load_state_dict(self, state: Any) -> None:
        self.steps = state["steps"]


def _part(make: Any, written: Any, **keywords: Any) -> Component:
    name = written.__name__
    return make(name.strip("_").lower(), f"{HERE}:{name}", summary=f"{name}, to be tried", **keywords)  # type: ignore[no-any-return]


PICTURES = {"input": [2, 3, 8, 8]}
OF_TASK = {"task": "doubling"}

GOOD = [
    _part(model, Line, **OF_TASK),
    _part(model, Backbone, example=PICTURES),
    _part(dataset, numbers, **OF_TASK),
    _part(task, Doubling),
    _part(task, Remembering),
    _part(loss, mean_error, **OF_TASK),
    _part(metric, Largest, **OF_TASK),
]

ALONE = _part(model, Alone, task="juggling")
HELPERS = [_part(model, Plain), ALONE]

# Component, the contract that it breaks, and what is said of it
BAD: list[tuple[Component, str, str]] = [
    (_part(model, Bare, **OF_TASK), "is_documented", "it has no docstring"),
    (_part(model, Unannotated, **OF_TASK), "has_a_signature", "parameter `width` has no annotation"),
    (_part(model, Swallows, **OF_TASK), "has_a_signature", "`\\*\\*rest: 'int'` is out of every recipe's reach"),
    (_part(model, Stuck, **OF_TASK), "trains", "a training step changes none of its weights"),
    (_part(model, Forgets, **OF_TASK), "saves_and_loads", "its outputs differ after saving and loading"),
    (_part(model, Counts, **OF_TASK), "resumes", "the third step's loss is .* after saving and loading"),
    (_part(model, Forgetful, example=PICTURES), "is_called", "its outputs differ after saving and loading"),
    (_part(dataset, empty), "is_built", "its split `train` is empty"),
    (_part(dataset, a_list), "is_built", "it returns list, not zoo.Data"),
    (_part(dataset, two_strata), "is_built", "`strata` of its split `train` is not one value a sample"),
    (_part(dataset, drawn), "draws_nothing", "changes the state of `torch`"),
    (_part(dataset, jittered), "repeats", "sample 0 of `val` differs when it is asked for again"),
    (_part(dataset, careless), "follows_generators", "equal generators give `transform` of `train` unequal results"),
    (_part(dataset, shuffled), "follows_generators", "equal generators give `batching` of `train` unequal results"),
    (_part(loss, Draws, **OF_TASK), "draws_nothing", "changes the state of `random`"),
    (_part(loss, summed, **OF_TASK), "is_a_mean", "its loss is .* the mean of its halves, weighted 1 to 3"),
    (_part(loss, Masked, **OF_TASK), "is_a_mean", "its loss is .* `count` should say what it is a mean over"),
    (_part(metric, NoReset, **OF_TASK), "is_built", "it has no `reset`"),
    (_part(metric, picky), "is_built", "not so many classes"),
    (_part(metric, Remembers, **OF_TASK), "resets", "after `reset`"),
    (_part(metric, MeanOfMeans, **OF_TASK), "adds_up", "for its halves one after the other"),
    (_part(optimizer, Idle), "updates_weights", "a step changes no weight"),
    (_part(optimizer, Hides), "optimizer_resumes", "differs from three in a row"),
    (_part(schedule, Restarts), "schedule_resumes", "with saving and loading after four steps"),
    (_part(task, NoTask), "is_built", "it is no zoo.Task"),
    (_part(task, Fewer), "scores_a_batch", "it makes 3 predictions of 4 samples"),
    (_part(task, Elsewhere), "scores_a_batch", "`val/accuracy` is monitored, and the evaluation has no such figure"),
    (_part(task, Changes), "scores_a_batch", "it changes the batch that it is given"),
    (_part(task, Infinite), "scores_a_batch", "figures of the first batch are not finite"),
    (_part(task, Squeezes), "takes_one_sample", "it makes 2 predictions of a batch of one sample"),
    (_part(task, NoJson), "shows_predictions", "`describe` gives .*, which is no JSON"),
    (_part(task, NoImage), "shows_predictions", "`draw` with `truth = False` gives no PIL image"),
    (_part(task, NoTruth), "shows_predictions", "`draw` with `truth = True` raises KeyError: 'boxes'"),
    (_part(task, NoTexts), "shows_predictions", "`texts` gives .*, not a text a column"),
    (_part(task, OtherColumns), "shows_predictions", "`texts` gives the columns of one table by other names"),
    (_part(task, Pleased), "shows_predictions", "`difficulty` is -1.0; it counts from 0 up"),
    (_part(task, Wordy), "shows_predictions", "`answer` gives a list, no text or number"),
    (_part(task, Counting), "resumes", "the third step's loss is .* after saving and loading"),
]

RECIPE = """
task = "{task}"
model = "bad/{model}"
dataset = "bad/numbers"
optimizer = "sgd"

[train]
epochs = 1
"""


class Plugin:
    """All of them, with a recipe for each task."""

    __name__ = HERE

    def __init__(self, recipes: Path) -> None:
        self.recipes = recipes
        self.parts = [*GOOD, *HELPERS, *(part for part, _, _ in BAD)]
        for part in self.parts:
            if part.kind == "task":
                trained = "line" if part.name == "doubling" else "plain"
                (recipes / f"{part.name}.toml").write_text(RECIPE.format(task=f"bad/{part.name}", model=trained))

    @hookimpl
    def zoo_components(self) -> list[Component]:
        return self.parts

    @hookimpl
    def zoo_recipes(self) -> Path:
        return self.recipes
