"""What recipes state in `[expect]` and `[quick.expect]`, and what comes without training."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from zoo.jobs.baselines import baselines_of
from zoo.jobs.evaluate import evaluate
from zoo.jobs.experiment import prepare
from zoo.recipes.recipe import load_recipe
from zoo.recipes.shipped import shipped_recipes

Bounds = dict[str, dict[str, float]]
RECIPES = shipped_recipes()


@dataclass
class ByItself:
    """What a recipe's figures are without training.

    Attributes:
        baselines: by figure and name, what answers that ignore the input score.
        untrained: by figure, what the model scores at step 0.
    """

    baselines: dict[str, dict[str, float]]
    untrained: dict[str, float]

    def meeting(self, bounds: Bounds) -> dict[str, float]:
        """The scores that are within a bound, by figure and name."""
        return {
            f"{figure}: {name}": value
            for figure, bound in bounds.items()
            for name, value in {**self.baselines.get(figure, {}), "untrained": self.untrained[figure]}.items()
            if bound.get("min", value) <= value <= bound.get("max", value)
        }


def bounds_of(name: str, quick: bool) -> Bounds:
    bounds: Bounds = load_recipe(RECIPES[name], quick=quick, shipped=RECIPES).table.get("expect", {})
    return bounds


def by_itself(name: str, quick: bool, overrides: Iterable[str] = ()) -> ByItself:
    """Score a recipe's baselines and its untrained network.

    Raises:
        InputError: its data are not at hand.
    """
    recipe = load_recipe(RECIPES[name], [*overrides, "train.device=cpu"], quick=quick, shipped=RECIPES)
    experiment: Any = prepare(recipe)
    figures = evaluate(experiment.scoring)
    return ByItself(baselines_of(experiment.scoring, experiment.data.splits["train"]), figures)
