"""Cross-validation: a run for every fold, then one score for all the predictions that none of them had trained on."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.jobs.listeners import Listener, Results
from zoo.jobs.signals import Stop
from zoo.recipes.recipe import Recipe
from zoo.registry.catalog import Catalog
from zoo.runs.folder import Folder
from zoo.runs.folds import fold_folders, fold_numbers

if TYPE_CHECKING:
    import torch

PREDICTIONS = "out_of_fold.safetensors"


def run_folds(
    recipe: Recipe,
    catalog: Catalog,
    folder: Folder,
    run_one: Callable[[Recipe, Path], Results],
    stop: Stop,
    listener: Listener,
) -> dict[str, float]:
    """Train and score every fold that is not done, each with a model, optimizer and schedule of its own.

    A fold is an ordinary run in `fold-1`, `fold-2` ... of the folder.

    Returns:
        Each figure's mean over the folds, its standard deviation under `<figure>_std`, and `out_of_fold/...`: the
        figures of all held-out predictions together.
    """
    folds = recipe.table["train"]["folds"]
    results = []
    for fold in range(1, folds + 1):
        stop.check()
        path = folder.path / f"fold-{fold}"
        done = Folder(path).results()
        if done is not None:
            results.append(done)
            continue
        listener.say(f"fold {fold} of {folds}")
        results.append(run_one(_one_fold(recipe, fold), path))
    return {**_summary([result["figures"] for result in results]), **_out_of_fold(folder, recipe, catalog, stop)}


def _one_fold(recipe: Recipe, fold: int) -> Recipe:
    table = deepcopy(recipe.table)
    table["train"]["fold"] = fold
    table.pop("expect", None)
    return replace(recipe, table=table)


def _summary(figures: list[dict[str, float]]) -> dict[str, float]:
    summary = {}
    for name in figures[0]:
        values = [one[name] for one in figures]
        summary[name] = statistics.fmean(values)
        summary[f"{name}_std"] = statistics.stdev(values)
    return summary


def _out_of_fold(folder: Folder, recipe: Recipe, catalog: Catalog, stop: Stop) -> dict[str, float]:
    """Score all folds' held-out samples together, and save the predictions where they are tensors.

    out_of_fold.safetensors has `prediction` (N, ...), `fold` (N,) from 1, and `index` (N,): the place of each sample
    in the dataset's `train`, followed by its `val`.
    """
    import torch

    from zoo.jobs.evaluate import evaluate_together
    from zoo.jobs.predict import predictions
    from zoo.jobs.score import OUT_OF_FOLD
    from zoo.jobs.scoring import prepare_scoring_of
    from zoo.runs.weights import encode

    scorings = [prepare_scoring_of(Folder.open(path), split="val")[1] for path in fold_folders(folder.path)]
    found = [one for scoring in scorings for one in predictions(scoring)]
    if all(isinstance(one, torch.Tensor) for one in found):
        folds = _folds(recipe, catalog)
        index = folds.argsort(stable=True)
        folder.commit(
            {PREDICTIONS: encode({"prediction": torch.stack(found), "fold": folds[index], "index": index}, {})}
        )
    return evaluate_together([replace(scoring, split=OUT_OF_FOLD) for scoring in scorings], stop)


def _folds(recipe: Recipe, catalog: Catalog) -> torch.Tensor:
    from zoo.recipes.build import Builder

    train = recipe.table["train"]
    data = Builder(recipe, catalog).component("dataset")
    return fold_numbers(data, train["folds"], train.get("seed", 0))
