"""Cross-validation: a run for every fold, one score for all that was held out, and the average of the models."""

from __future__ import annotations

import shutil
import statistics
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo import Data, InputError, evaluate, open_recipe, predictions, reopen, say, start_run, write_file
from zoo_lab.series import RESULTS, begun, by_figure, finished, run_or_resume, verdict

PREDICTIONS, AVERAGE = "out_of_fold.safetensors", "average"
SEEN = ("train", "val")  # splits that the average of all folds has been trained on


def run_folds(
    recipe: str | Path,
    overrides: Mapping[str, Any] | Iterable[str] = (),
    *,
    folds: int = 5,
    seed: int = 0,
    quick: bool = False,
    out: Path | None = None,
) -> dict[str, Any]:
    """Train and score every fold that is not done, then all of them together, and return what results.json holds.

    Args:
        seed: of the division; the recipe's `train.seed` is that of every fold's training.
        out: the folder, also one to go on with: `fold-1` ... and `average` are run folders in it.

    Raises:
        zoo.InputError: the recipe is wrong, its dataset cannot be divided, or other runs are in the folder.
        zoo.Stopped: a signal came; the same call goes on.
    """
    opened = open_recipe(recipe, overrides, quick)
    for table in ("train", "dataset"):
        if table not in opened.table:
            raise InputError(f"cross-validation needs a recipe with `{table}`")
    plan = {"folds": folds, "seed": seed, "recipe": opened.table}
    with begun(out, f"{opened.name}-folds", plan) as (folder, stop):
        expect = opened.table.pop("expect", {})  # it is about all folds together
        paths = [folder / f"fold-{number}" for number in range(1, folds + 1)]
        runs = []
        for number, path in enumerate(paths, 1):
            stop.check()
            say(f"fold {number} of {folds}")
            division = {"name": "lab/fold", "of": opened.table["dataset"], "folds": folds, "fold": number, "seed": seed}
            runs.append(run_or_resume(opened, {"dataset": division}, path))
        stop.check()
        scorings = [reopen(path, split="val").scoring for path in paths]
        figures = {**_summary(runs), **_out_of_fold(scorings)}
        fold = tomllib.loads((paths[0] / "recipe.toml").read_text(encoding="utf-8"))  # as it is spelled out
        whole = reopen(paths[0], {"dataset": fold["dataset"]["of"]})
        _keep_predictions(folder / PREDICTIONS, scorings, whole.data, folds, seed)
        return finished(
            folder,
            {
                "folds": folds,
                "figures": figures,
                "expect": {name: verdict([figures[name]] if name in figures else [], expect[name]) for name in expect},
                "runs": [path.name for path in paths],
                "average": _average(folder / AVERAGE, fold, whole, scorings),
                "seconds": round(sum(run["seconds"] for run in runs), 2),
            },
        )


def _summary(runs: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return each figure's mean over the folds, and its standard deviation as `<figure>_std`."""
    import numpy as np

    summary = {}
    for name, values in by_figure([run["figures"] for run in runs]).items():
        summary[name], summary[f"{name}_std"] = statistics.fmean(values), float(np.std(values, ddof=1))
    return summary


def _out_of_fold(scorings: Sequence[Any]) -> dict[str, float]:
    """Return the figures of all held-out predictions together, as if one model had made them."""
    figures = evaluate(*scorings)
    return {f"out_of_fold/{name.removeprefix('val/')}": value for name, value in figures.items()}


def _keep_predictions(file: Path, scorings: Sequence[Any], data: Data, folds: int, seed: int) -> None:
    """Write the held-out predictions, where they are tensors of one size, for stacking.

    The file has `prediction` (N, ...), `fold` (N,) from 1, and `index` (N,): the place of each sample in the dataset's
    `train`, followed by its `val`.
    """
    import torch
    from safetensors.torch import save

    from zoo_lab.fold import fold_numbers

    held_out = [prediction for scoring in scorings for prediction in predictions(scoring)]
    if not all(isinstance(prediction, torch.Tensor) for prediction in held_out):
        return
    if len({prediction.shape for prediction in held_out}) > 1:
        return
    numbers = fold_numbers(data, folds, seed)
    index = numbers.argsort(stable=True)
    write_file(file, save({"prediction": torch.stack(held_out), "fold": numbers[index], "index": index}))


def _average(path: Path, fold: Mapping[str, Any], whole: Any, scorings: Sequence[Any]) -> str | None:
    """Leave a run folder with the average of the folds' models, and return its name; None where they have none.

    It is scored where the recipe scores a split that no fold was trained on. Its recipe is that of the folds, less the
    division, and starts from the average, so that it can be trained further.

    Args:
        fold: the recipe of the first.
        whole: the first fold's run, reopened on the dataset that was divided.
        scorings: of all folds, on what they held out.
    """
    from zoo_lab.average import Average

    if (path / RESULTS).exists():
        return path.name
    if path.exists():  # left by a kill; all that is in it is made anew
        shutil.rmtree(path)
    model = Average(scorings[0].model, 1)
    model.models.extend(scoring.model for scoring in scorings[1:])
    scoring = whole.scoring.of(model)
    try:
        _require_average(scoring, scorings)
    except Exception as error:
        say(f"there is no average of the folds' models: {error}")
        return None
    spelled = whole.builder.spelled
    spelled["model"] = {"name": "lab/average", "of": spelled["model"], "copies": len(scorings)}
    spelled["init"] = {"from": str(path.absolute())}
    spelled |= {kind: fold[kind] for kind in ("optimizer", "schedule") if kind in fold}
    with start_run(whole, path) as run:
        run.save_weights(*scoring.weights())
        run.finish({} if scoring.split in SEEN else evaluate(scoring))
    return path.name


def _require_average(scoring: Any, scorings: Sequence[Any]) -> None:
    """Try the average on a batch: its outputs have to have a mean, and the task has to ask no more than outputs.

    Raises:
        zoo.InputError: a loss or a task has learnt weights of its own, one set a fold.
    """
    first, *others = [part.learner.own_tensors() for part in scorings]
    if any(not other[name].equal(tensor) for other in others for name, tensor in first.items()):
        raise InputError("their losses or tasks have weights of their own")
    evaluate(scoring, limit=1)
