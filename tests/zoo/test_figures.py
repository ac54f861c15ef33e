"""What is known of a run's figures before it: by what metrics and losses state, and by the forms of a recipe."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from tests.zoo.conftest import Write
from tests.zoo.training import run
from zoo import hookimpl, loss, metric
from zoo.recipes.check import check
from zoo.recipes.figures import figures_of, metric_name
from zoo.recipes.recipe import load_recipe
from zoo.registry.catalog import Catalog
from zoo.registry.plugins import installed

CURVE = 'task = "curve"\nmodel = "tiny_mlp"\ndataset = "sine_curve"\noptimizer = "adam"\n'
TRAIN = "[train]\nepochs = 1\n"
MAE = '[eval]\nmetrics = ["mean_absolute_error"]\n'


class Several:
    """Computes what it does not state."""

    def compute(self) -> dict[str, torch.Tensor]: ...


class One:
    def compute(self) -> torch.Tensor: ...


class Silent:
    def compute(self): ...


def one() -> One: ...


def silent(): ...


class Stating(Several):
    figures = ("a", "b_*")


def test_what_a_metric_states() -> None:
    """By its class, by what a function returns, by the built metric itself."""
    assert figures_of(Several) is figures_of(Silent) is figures_of(silent) is None
    assert figures_of(One) == figures_of(one) == figures_of(One()) == ("",)
    assert figures_of(Stating) == figures_of(Stating()) == ("a", "b_*")


@pytest.mark.parametrize("name", ["mean_average_precision", "step_error"])
def test_first_party_metrics_compute_what_they_state(name: str) -> None:
    """`iou_*` is in tests/vision."""
    metric = Catalog().get("metric", name).load()()
    if name == "step_error":
        metric.update(torch.zeros(2, 64), torch.ones(2, 64))
    else:
        boxes = {"boxes": torch.tensor([[0.0, 0.0, 9.0, 9.0]]), "labels": torch.tensor([0])}
        metric.update([{**boxes, "scores": torch.tensor([0.9])}], [boxes])
    computed = set(metric.compute())
    assert computed and computed <= set(figures_of(metric) or ())


@pytest.mark.parametrize("name", [found.name for found in Catalog().of_kind("metric") if found.plugin != "tiny"])
def test_every_first_party_metric_states_its_figures(name: str) -> None:
    assert figures_of(Catalog().get("metric", name).load())


def test_a_metric_s_name() -> None:
    assert metric_name("accuracy") == metric_name("basics/accuracy") == metric_name({"name": "basics/accuracy"})
    assert metric_name({"name": "accuracy", "as": "macro"}) == "macro"


# Recipes that are right, whatever they name: a figure that is there, or one of which nothing is known.
RIGHT = [
    TRAIN + '[expect]\n"val/loss" = { min = 1, max = 1 }\n',
    TRAIN + '[expect]\n"val/loss_part" = { min = 1 }\n',
    TRAIN + 'monitor = "test/loss"\n[eval]\nsplit = "test"\n',
    TRAIN + '[eval]\nmetrics = [{ name = "mean_absolute_error", as = "x" }]\n[expect]\n"val/x" = { max = 1 }\n',
    TRAIN + '[eval]\nmetrics = ["several"]\n[expect]\n"val/whatever" = { max = 1 }\n',
    'loss = "telling"\n' + TRAIN + 'monitor = "val/weight_x"\n',
]  # fmt: skip

# And wrong ones, with the name that is shown.
WRONG = {
    TRAIN + MAE + '[expect]\n"val/mean_absolute_error_std" = { max = 1 }\n':
    "val/mean_absolute_error_std",
}  # fmt: skip


class Telling(torch.nn.Module):
    """A loss that tells more than itself."""

    def forward(self, outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return (outputs - target).square().mean()

    def figures(self, outputs: torch.Tensor, target: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"weight_x": torch.tensor(1.0)}


@pytest.fixture
def telling() -> Iterator[None]:
    offered = [
        loss("telling", "tests.zoo.test_figures:Telling"), metric("several", "tests.zoo.test_figures:Several"),
    ]  # fmt: skip
    plugin = SimpleNamespace(zoo_components=hookimpl(lambda: offered))
    plugins = installed()
    plugins.register(plugin, "telling")
    yield
    plugins.unregister("telling")


@pytest.mark.parametrize("text", RIGHT)
@pytest.mark.usefixtures("telling")
def test_a_figure_that_may_be_is_no_mistake(text: str, write: Write) -> None:
    assert check(load_recipe(write("r.toml", CURVE + text)), Catalog()) == []


@pytest.mark.parametrize("text", WRONG)
def test_a_figure_that_cannot_be_is_one(text: str, write: Write) -> None:
    (problem,) = check(load_recipe(write("r.toml", CURVE + text)), Catalog())
    assert problem.code == "unknown-figure" and WRONG[text] in problem.message


def test_the_task_s_monitor_follows_the_split(write: Write) -> None:
    """`val/accuracy` of the task means `test/accuracy` where the test split is scored."""
    text = 'task = "classification"\nmodel = "lenet"\ndataset = "digits"\noptimizer = "sgd"\n' + TRAIN
    recipe = load_recipe(write("r.toml", text + '[eval]\nsplit = "test"\nmetrics = ["accuracy"]\n'))
    assert check(recipe, Catalog()) == []


@pytest.mark.usefixtures("telling", "probe_parts")
def test_what_a_loss_tells_is_a_figure(tmp_path: Path) -> None:
    assert run(tmp_path, {"loss": "telling"}, monitor="val/weight_x")["figures"]["val/weight_x"] == 1
