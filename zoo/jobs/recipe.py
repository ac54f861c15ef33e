"""`run` and `resume`: a recipe or a run folder -> jobs -> a run folder with its results."""

from __future__ import annotations

import shlex
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from zoo.errors import InputError, Stopped
from zoo.jobs.listeners import Listener, Results, WithPlugins, told
from zoo.jobs.run_files import (
    claimed,
    finish,
    recipe_file,
    require_empty,
    require_same_data,
    require_same_runs,
    run_info,
    verdicts_of,
    write_beginnings,
)
from zoo.jobs.signals import Stop, stop_on_signals
from zoo.recipes.check import require_valid
from zoo.recipes.locate import RecipeError, locate_error
from zoo.recipes.recipe import Recipe, load_recipe
from zoo.recipes.shipped import find_recipe, shipped_recipes
from zoo.recipes.source import MergeError, RecipeSyntaxError
from zoo.registry.catalog import Catalog
from zoo.runs.folder import MANIFEST, METRICS, RECIPE, REPORT, STATE, WEIGHTS, Folder

SLOW = 3.0  # times that several threads may take of what one takes


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


def resume(path: str | Path, listener: Listener | None = None, changed_data: bool = False) -> Results:
    """Go on with a run that was stopped or killed, from its last checkpoint.

    Args:
        changed_data: the data set has changed since, and that is meant.

    Raises:
        InputError: the path is no run folder, its run is over, or its data set has changed.
        RunFailed: the checkpoint is damaged.
    """
    catalog = Catalog()
    listener = WithPlugins(listener or Listener(), catalog.plugins)
    return _resume(Folder.open(Path(path)), catalog, listener, changed_data)


def _resume(folder: Folder, catalog: Catalog, listener: Listener, changed_data: bool = False) -> Results:
    from zoo.jobs.afterwards import reported_later
    from zoo.jobs.experiment import prepare
    from zoo.jobs.progress import Progress, load_state

    results = folder.results()
    if results is not None and (folder.path / REPORT).exists():
        raise InputError(f"{folder.path} is complete: there is nothing to resume", f"zoo eval {folder.path}")
    if results is not None:
        return reported_later(folder, results, changed_data)
    recipe = folder.read(RECIPE, load_recipe)
    require_valid(recipe, catalog)
    if "train" not in recipe.table:
        raise InputError(f"{folder.path} has no training to resume", f"zoo run {folder.path / RECIPE}")
    if _is_cross_validation(recipe):
        with folder.locked():
            return _cross_validated(recipe, catalog, folder, listener)
    with folder.locked(), stop_on_signals() as stop:
        folder.recover()
        experiment = prepare(recipe, catalog, listener.preparing)
        require_same_data(folder, experiment.data, changed_data, takes_over=True)
        require_same_runs(folder, experiment.builder.runs)
        progress = Progress()  # of a run that was killed before its first checkpoint
        if folder.has(STATE):
            resumed = load_state(experiment, folder)
            progress = resumed.progress
            _say_what_differs(resumed, folder, listener)
        return _train(experiment, folder, progress, stop, listener, resumed=True)


def _say_what_differs(resumed: Any, folder: Folder, listener: Listener) -> None:
    import torch

    before, now = resumed.threads, torch.get_num_threads()
    if now != before:
        listener.say(
            f"this run used {before} threads and now has {now}: sums round otherwise, so it cannot end exactly as it "
            f"would have (OMP_NUM_THREADS={before})"
        )
    if resumed.missing:
        listener.say(f"{folder.path / METRICS} has lost {resumed.missing} bytes of its lines before the checkpoint")


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
        with claimed(recipe, out) as folder:
            return _cross_validated(recipe, catalog, folder, listener)
    with stop_on_signals() as stop:
        if "train" not in recipe.table:
            return _scored(recipe, catalog, out, stop, listener)
        from zoo.jobs.experiment import prepare
        from zoo.jobs.progress import Progress

        experiment = prepare(recipe, catalog, listener.preparing)
        with claimed(recipe, out) as folder:
            write_beginnings(folder, recipe, experiment.builder, experiment.device, experiment.data, catalog)
            return _train(experiment, folder, Progress(), stop, listener, limit=limit)


def _is_cross_validation(recipe: Recipe) -> bool:
    train = recipe.table.get("train", {})
    return "folds" in train and "fold" not in train


def _cross_validated(recipe: Recipe, catalog: Catalog, folder: Folder, listener: Listener) -> Results:
    """A run for every fold that is not done yet, and their results together."""
    from zoo.jobs.kfold import run_folds
    from zoo.jobs.report import run_curves, write_report
    from zoo.runs.folds import fold_folders

    def run_one(fold: Recipe, path: Path) -> Results:
        if (path / MANIFEST).exists():
            return _resume(Folder.open(path), catalog, listener)
        return _run(fold, catalog, path, listener)

    with stop_on_signals() as stop:
        folder.recover()
        folder.commit(recipe_file(recipe.name, recipe.table))
        with _resumable(folder):
            figures = run_folds(recipe, catalog, folder, run_one, stop, listener)
        runs = {path.name: Folder.open(path) for path in fold_folders(folder.path)}
        spelled = next(iter(runs.values())).read(RECIPE, load_recipe).table
        spelled["train"].pop("fold")
        folder.commit(recipe_file(recipe.name, {**spelled, "expect": recipe.table.get("expect", {})}))
        seconds = round(sum((run.results() or {})["seconds"] for run in runs.values()), 2)
        results = {"figures": figures, "expect": verdicts_of(recipe, figures), "folds": len(runs), "seconds": seconds}
        results = finish(folder, results)
        write_report(folder, results, run_curves(runs))
        return results


def _train(
    experiment: Any,
    folder: Folder,
    progress: Any,
    stop: Stop,
    listener: Listener,
    limit: int | None = None,
    resumed: bool = False,
) -> Results:
    """Train to the end, write the results, then the report: what goes wrong there costs no result."""
    from zoo.jobs.afterwards import checked_load, reported
    from zoo.jobs.evaluate import signatures
    from zoo.jobs.train import summary, train

    def work() -> Results:
        _say_if_threads_are_slow(experiment.device, listener)
        with _resumable(folder):
            train(experiment, folder, progress, stop, listener, limit=limit)
        scorings.append(checked_load(experiment, folder, progress))
        return finish(
            folder,
            {
                "figures": progress.figures,
                "expect": verdicts_of(experiment.builder.recipe, progress.figures) if limit is None else {},
                **signatures(experiment.scoring),
                **summary(experiment, progress),
                "seconds": round(progress.seconds, 2),
            },
        )

    scorings: list[Any] = []
    info = run_info(
        folder, experiment.builder.spelled, resumed=resumed,
        step=progress.step, steps=experiment.steps, steps_per_epoch=experiment.steps_per_epoch,
    )  # fmt: skip
    results = told(listener, info, work)
    return (
        reported(folder, results, scorings[0], experiment.data, experiment.eval.pictures) if limit is None else results
    )


def _say_if_threads_are_slow(device: Any, listener: Listener) -> None:
    from zoo.training.hardware import slowdown_of_threads

    slowdown = slowdown_of_threads() if device.type == "cpu" else 1.0
    if slowdown > SLOW:
        listener.say(
            f"other programs keep the cores busy: several threads take {slowdown:.0f} times as long as one just now; "
            "OMP_NUM_THREADS=1 would be faster"
        )


@contextmanager
def _resumable(folder: Folder) -> Iterator[None]:
    """Have what is stopped inside say how it goes on."""
    try:
        yield
    except Stopped as stopped:
        raise Stopped(stopped.message, f"zoo resume {shlex.quote(str(folder.path))}") from stopped


def _scored(recipe: Recipe, catalog: Catalog, out: Path | None, stop: Stop, listener: Listener) -> Results:
    """A recipe of `[init]` and `[eval]` alone: score the weights, and leave them with the results."""
    from zoo.jobs.afterwards import reported
    from zoo.jobs.evaluate import evaluate, signatures
    from zoo.jobs.scoring import prepare_scoring
    from zoo.runs.weights import encode, weights_of

    def work() -> Results:
        tensors, tied = weights_of(scoring.model)
        tensors |= scoring.learner.own_tensors()
        folder.commit({WEIGHTS: encode(tensors, {"assets": folder.asset_hashes(), "tied": tied})})
        folder.log.append({"step": 0, "epoch": 0, **figures})
        seconds = round(time.monotonic() - started, 2)
        verdicts = verdicts_of(recipe, figures)
        return finish(folder, {"figures": figures, "expect": verdicts, **signatures(scoring), "seconds": seconds})

    started = time.monotonic()
    builder, data, scoring, settings = prepare_scoring(recipe, catalog, preparing=listener.preparing)
    figures = evaluate(scoring, stop)
    with claimed(recipe, out) as folder:
        write_beginnings(folder, recipe, builder, scoring.device, data, catalog)
        return reported(
            folder, told(listener, run_info(folder, builder.spelled), work), scoring, data, settings.pictures
        )


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
