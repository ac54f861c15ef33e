"""Components with every kind of parameter that a signature can state, for tests of recipes and schemas."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Annotated, Any, Literal

import torch
from torch import nn

from zoo import hookimpl, model, optimizer, task
from zoo.recipes.schema import Nested
from zoo.runs.predictor import RunFolder


class Parts(nn.Module):
    """A model whose parameters are as different as TOML can write them, and some that it cannot."""

    def __init__(
        self,
        num_inputs: int,
        flag: bool = False,
        width: int = 8,
        rate: float = 0.5,
        title: str = "",
        sizes: list[int] | None = None,
        shape: tuple[int, int] = (1, 1),
        shades: dict[str, float] | None = None,
        mode: Literal["nearest", "bilinear"] = "nearest",
        either: float | torch.Tensor = 0.1,
        table: torch.Tensor | None = None,
        from_: str = "",
        backbone: nn.Module | None = None,
        criterion: Annotated[Any, Nested("loss")] = None,
        teacher: RunFolder | None = None,
        untyped=3,  # as a library has it: typed by its default
        untyped_pair=(0.9, 0.99),
        anything=None,
        *rest: int,
        **options: Any,
    ) -> None:
        super().__init__()
        self.arguments = dict(locals())
        self.line = nn.Linear(num_inputs, 1)


class Other:
    """A task that `tiny_mlp` does not serve."""


PLUGIN = SimpleNamespace(
    zoo_components=hookimpl(
        lambda: [
            model("parts", "tests.zoo.fake_parts:Parts"),
            model("seer", "tests.zoo.fake_parts:Parts", task="other"),
            model("absent", "tests.zoo.fake_parts:NoSuchClass"),
            optimizer("sgd", "torch.optim:NoSuchClass"),  # a second one, which no short name means
            optimizer("twin", "torch.optim:SGD"),
            task("other", "tests.zoo.fake_parts:Other"),
        ]
    )
)
TWIN = SimpleNamespace(zoo_components=hookimpl(lambda: [optimizer("twin", "torch.optim:SGD")]))
