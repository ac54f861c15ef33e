"""The names of a metric's figures: its own, or the one that a recipe gives it with `as`."""

from __future__ import annotations

from pathlib import Path

import pytest
import tomli

from tests.zoo.conftest import Write
from tests.zoo.training import run
from zoo.jobs.evaluate import computed
from zoo.recipes.build import Builder
from zoo.recipes.recipe import load_recipe
from zoo.registry.catalog import Catalog
from zoo.runs.folder import Folder

pytestmark = pytest.mark.usefixtures("probe_parts")


def test_two_metrics_of_one_component_are_two_figures(tmp_path: Path) -> None:
    """Each with its own values, in metrics.jsonl and in the results; recipe.toml keeps both, and runs again."""
    metrics = [
        {"name": "scripted", "values": [0.25] * 4},
        {"name": "scripted", "values": [0.75] * 4, "as": "macro"},
    ]
    results = run(tmp_path, {"eval.metrics": metrics, "train.monitor": "val/macro"})
    assert (results["figures"]["val/scripted"], results["figures"]["val/macro"]) == (0.25, 0.75)
    assert [event["val/macro"] for event in Folder(tmp_path).log.events() if "val/macro" in event] == [0.75] * 2
    assert tomli.loads((tmp_path / "recipe.toml").read_text())["eval"]["metrics"] == [
        {**metric, "name": "probe/scripted"} for metric in metrics
    ]


def test_several_figures_begin_with_the_name_that_is_given(write: Write) -> None:
    """A metric of several figures: without `as` they keep their names."""
    import torch

    text = '[eval]\nmetrics = ["step_error", { name = "step_error", as = "raw" }]\n'
    specs = load_recipe(write("r.toml", text)).table["eval"]["metrics"]
    metrics = Builder(load_recipe(Path("r.toml")), Catalog()).metrics(specs)
    assert list(metrics) == ["step_error", "raw"]
    for metric, offset in ((metrics["step_error"], 1.0), (metrics["raw"], 2.0)):
        metric.update(torch.zeros(2, 4), torch.full((2, 4), offset))
    figures = {name: float(value) for name, value, _ in computed(metrics)}
    assert figures == {"error_1": 1.0, "error_4": 1.0, "raw_error_1": 2.0, "raw_error_4": 2.0}
