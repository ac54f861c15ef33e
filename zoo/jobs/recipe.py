"""`run`, `resume` and `score`: a recipe or a run folder -> jobs -> a run folder with its results."""

from __future__ import annotations

import json
import shlex
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from zoo.catalog import Catalog
from zoo.check import require_valid
from zoo.errors import InputError, RunFailed, Stopped
from zoo.jobs.listeners import Listener, Results, WithPlugins, told
from zoo.jobs.run_files import (
    finish,
    open_new,
    require_empty,
    run_info,
    verdicts_of,
    write_beginnings,
    write_recipe,
)
from zoo.jobs.signals import Stop, stop_on_signals
from zoo.locate import RecipeError, locate_error
from zoo.recipe import Recipe, load_recipe
from zoo.run_folder import RECIPE, RESULTS, STATE, WEIGHTS, Folder
from zoo.shipped import find_recipe, shipped_recipes
from zoo.source import MergeError, RecipeSyntaxError


def run(
    recipe: str | Path,
    overrides: Mapping[str, Any] | Iterable[str] = (),
    *,
    quick: bool = False,
    out: str | Path | None = None,
    dry_run: bool = False,
    listener: Listener | None = None,
) -> Results:
    """Run a recipe and return its results, as results.json has them.

    Args:
        recipe: a file, or the name of a shipped recipe.
        overrides: `{"train.epochs": 2}` or `["train.epochs=2"]`.
        quick: apply the recipe's `[quick]`.
        out: the run folder; by default `runs/<recipe>/<n>`.
        dry_run: build everything, take one batch through training, evaluation, save and load, and leave nothing.

    Raises:
        InputError: the recipe, the data or an argument is wrong.
        RunFailed: the run could not go on.
        Stopped: a signal came.
    """
    catalog = Catalog()
    listener = WithPlugins(listener or Listener(), catalog.plugins)
    loaded = open_recipe(str(recipe), overrides, quick, catalog)
    if dry_run:
        with tempfile.TemporaryDirectory() as temporary:
            return _run(_one_step(loaded), catalog, Path(temporary) / "run", listener, limit=1)
    return _run(loaded, catalog, None if out is None else Path(out), listener)


def resume(path: str | Path, listener: Listener | None = None) -> Results:
    """Go on with a run that was stopped or killed, from its last checkpoint.

    Raises:
        InputError: the path is no run folder, or its run is over.
        RunFailed: the checkpoint is damaged.
    """
    catalog = Catalog()
    return _resume(Folder.open(Path(path)), catalog, WithPlugins(listener or Listener(), catalog.plugins))


def _resume(folder: Folder, catalog: Catalog, listener: Listener) -> Results:
    from zoo.jobs.experiment import prepare
    from zoo.jobs.progress import Progress, load_state

    if (folder.path / RESULTS).exists():
        raise InputError(f"{folder.path} is complete: there is nothing to resume", f"zoo eval {folder.path}")
    recipe = load_recipe(folder.path / RECIPE)
    require_valid(recipe, catalog)
    if "train" not in recipe.table:
        raise InputError(f"{folder.path} has no training to resume", f"zoo run {folder.path / RECIPE}")
    if _is_cross_validation(recipe):
        return _cross_validated(recipe, catalog, folder, listener)
    with folder.locked(), stop_on_signals() as stop:
        folder.recover()
        experiment = prepare(recipe, catalog, listener.preparing)
        progress = Progress()  # of a run that was killed before its first checkpoint
        if folder.has(STATE):
            progress, threads = load_state(experiment, folder)
            _compare_threads(threads, listener)
        return _train(experiment, folder, progress, stop, listener, resumed=True)


def _compare_threads(before: int, listener: Listener) -> None:
    import torch

    now = torch.get_num_threads()
    if now != before:
        listener.say(
            f"this run used {before} threads and now has {now}: sums round otherwise, so it cannot end exactly as it "
            f"would have (OMP_NUM_THREADS={before})"
        )


def open_recipe(name: str, overrides: Mapping[str, Any] | Iterable[str], quick: bool, catalog: Catalog) -> Recipe:
    """Find, read and check a recipe."""
    shipped = shipped_recipes(catalog.plugins.recipe_folders())
    try:
        recipe = load_recipe(find_recipe(name, shipped), overrides, quick=quick, shipped=shipped)
    except (RecipeSyntaxError, MergeError) as error:
        raise RecipeError([locate_error(error)]) from error
    require_valid(recipe, catalog)
    return recipe


def _run(recipe: Recipe, catalog: Catalog, out: Path | None, listener: Listener, limit: int | None = None) -> Results:
    if out is not None:
        require_empty(out)
    if _is_cross_validation(recipe):
        return _cross_validated(recipe, catalog, open_new(recipe, out), listener)
    with stop_on_signals() as stop:
        if "train" not in recipe.table:
            return _scored(recipe, catalog, out, stop, listener)
        from zoo.jobs.experiment import prepare
        from zoo.jobs.progress import Progress

        experiment = prepare(recipe, catalog, listener.preparing)
        folder = open_new(recipe, out)
        with folder.locked():
            write_beginnings(folder, recipe, experiment.builder, experiment.device, experiment.data, catalog)
            return _train(experiment, folder, Progress(), stop, listener, limit)


def _is_cross_validation(recipe: Recipe) -> bool:
    train = recipe.table.get("train", {})
    return "folds" in train and "fold" not in train


def _cross_validated(recipe: Recipe, catalog: Catalog, folder: Folder, listener: Listener) -> Results:
    """A run for every fold that is not done yet, and their results together."""
    from zoo.folds import fold_folders
    from zoo.jobs.kfold import run_folds
    from zoo.report import run_curves, write_report

    def run_one(fold: Recipe, path: Path) -> Results:
        if (path / RECIPE).exists():
            return _resume(Folder.open(path), catalog, listener)
        return _run(fold, catalog, path, listener)

    with folder.locked(), stop_on_signals() as stop:
        folder.recover()
        folder.commit({})
        write_recipe(folder, recipe.name, recipe.table)
        with _resumable(folder):
            figures = run_folds(recipe, catalog, folder, run_one, stop, listener)
        runs = [Folder.open(path) for path in fold_folders(folder.path)]
        spelled = load_recipe(runs[0].path / RECIPE).table
        spelled["train"].pop("fold")
        write_recipe(folder, recipe.name, {**spelled, "expect": recipe.table.get("expect", {})})
        done = [json.loads((run.path / RESULTS).read_bytes()) for run in runs]
        seconds = round(sum(result["seconds"] for result in done), 2)
        results = {"figures": figures, "expect": verdicts_of(recipe, figures), "folds": len(runs), "seconds": seconds}
        write_report(folder, results, run_curves({run.path.name: run for run in runs}))
        return finish(folder, results)


def _train(
    experiment: Any,
    folder: Folder,
    progress: Any,
    stop: Stop,
    listener: Listener,
    limit: int | None = None,
    resumed: bool = False,
) -> Results:
    """Train to the end, and tell the listener that the run begins and how it ends."""
    info = run_info(
        folder, experiment.builder.spelled, resumed=resumed,
        step=progress.step, steps=experiment.steps, steps_per_epoch=experiment.steps_per_epoch,
    )  # fmt: skip
    return told(listener, info, lambda: _trained(experiment, folder, progress, stop, listener, limit))


def _trained(
    experiment: Any, folder: Folder, progress: Any, stop: Stop, listener: Listener, limit: int | None
) -> Results:
    from zoo.jobs.evaluate import signatures
    from zoo.jobs.train import summary, train
    from zoo.report import write_run_report

    with _resumable(folder):
        train(experiment, folder, progress, stop, listener, limit=limit)
    loaded = _checked_load(experiment, folder, progress)
    results = {
        "figures": progress.figures,
        "expect": verdicts_of(experiment.builder.recipe, progress.figures) if limit is None else {},
        **signatures(experiment.scoring),
        **summary(experiment, progress),
        "seconds": round(progress.seconds, 2),
    }
    if limit is None:
        write_run_report(folder, results, loaded, experiment.eval.pictures)
    return finish(folder, results)


@contextmanager
def _resumable(folder: Folder) -> Iterator[None]:
    """Have what is stopped inside say how it goes on."""
    try:
        yield
    except Stopped as stopped:
        raise Stopped(stopped.message, f"zoo resume {shlex.quote(str(folder.path))}") from stopped


def _scored(recipe: Recipe, catalog: Catalog, out: Path | None, stop: Stop, listener: Listener) -> Results:
    """A recipe of `[init]` and `[eval]` alone: score the weights, and leave them with the results."""
    from zoo.jobs.evaluate import evaluate, signatures
    from zoo.jobs.experiment import prepare_scoring
    from zoo.report import write_run_report
    from zoo.weights import encode, weights_of

    started = time.monotonic()
    builder, data, scoring, settings = prepare_scoring(recipe, catalog, preparing=listener.preparing)
    figures = evaluate(scoring, stop)
    folder = open_new(recipe, out)

    def work() -> Results:
        tensors, tied = weights_of(scoring.model)
        folder.commit({WEIGHTS: encode(tensors, {"assets": folder.asset_hashes(), "tied": tied})})
        folder.append_metrics({"step": 0, "epoch": 0, **figures})
        results = {
            "figures": figures,
            "expect": verdicts_of(recipe, figures),
            **signatures(scoring),
            "seconds": round(time.monotonic() - started, 2),
        }
        write_run_report(folder, results, scoring, settings.pictures)
        return finish(folder, results)

    with folder.locked():
        write_beginnings(folder, recipe, builder, scoring.device, data, catalog)
        return told(listener, run_info(folder, builder.spelled), work)


def score(path: str | Path, split: str | None = None, device: str = "auto", batch_size: int | None = None) -> Results:
    """Score a run folder's weights on its dataset again.

    Args:
        split: by default the one of the recipe's `[eval]`.
    """
    from zoo.jobs.evaluate import evaluate, signatures
    from zoo.jobs.experiment import prepare_scoring_of

    with stop_on_signals() as stop:
        _, scoring = prepare_scoring_of(Folder.open(Path(path)), split, device, batch_size)
        return {"figures": evaluate(scoring, stop), "split": scoring.split, **signatures(scoring)}


def _checked_load(experiment: Any, folder: Folder, progress: Any) -> Any:
    """What was saved, loaded again, says the same of a fixed batch; returns the scoring of the loaded model."""
    import torch

    from zoo.jobs.evaluate import fingerprint
    from zoo.predictor import load

    scoring = experiment.scoring
    loaded = replace(scoring, model=load(folder.path, str(scoring.device)).model)
    digest, outputs = fingerprint(loaded)
    same = digest == progress.fingerprint
    if scoring.device.type == "cuda" and not same:  # kernels may be chosen anew there
        same = torch.allclose(outputs, progress.first_outputs, rtol=2e-2, atol=2e-2)
    if not same:
        gap = (outputs - progress.first_outputs).abs().max().item() if outputs.numel() else float("nan")
        raise RunFailed(
            f"the saved weights do not score as the model did: outputs differ by up to {gap:.3g}",
            "the model has state that is not in its state_dict, or draws random numbers in evaluation mode",
        )
    return loaded


def _one_step(recipe: Recipe) -> Recipe:
    if "train" not in recipe.table:
        raise InputError("--dry-run needs a recipe with [train]")
    train = recipe.table["train"]
    for key in ("epochs", "evaluate_every_epochs", "evaluate_every_steps"):
        train.pop(key, None)
    train["steps"] = 1
    if "folds" in train:
        train["fold"] = 1
    recipe.table.pop("expect", None)
    return recipe
