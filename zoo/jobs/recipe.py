"""`run` and `resume`: a recipe or a run folder -> jobs -> a run folder with its results."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import InputError
from zoo.jobs.opening import open_recipe
from zoo.jobs.run_files import Results, require_empty
from zoo.recipes.recipe import Overrides, Recipe
from zoo.registry.catalog import Catalog
from zoo.runs.folder import REPORT, Folder

if TYPE_CHECKING:
    from zoo.jobs.experiment import Experiment
    from zoo.jobs.live import LiveRun
    from zoo.jobs.progress import Progress
    from zoo.training.loop import Step

SLOW = 3.0  # times that several threads may take of what one takes

logger = logging.getLogger(__name__)


def run(
    recipe: str | Path,
    overrides: Overrides = (),
    *,
    quick: bool = False,
    out: str | Path | None = None,
    dry_run: bool = False,
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
    opened = open_recipe(str(recipe), overrides, quick, catalog)
    if dry_run:
        with tempfile.TemporaryDirectory() as temporary:
            return _trained(_one_step(opened), catalog, Path(temporary) / "run", limit=1)
    if out is not None:
        require_empty(Path(out))
    return (_trained if "train" in opened.table else _scored)(opened, catalog, out)


def resume(path: str | Path, overrides: Overrides = (), *, changed_data: bool = False) -> Results:
    """Go on with a run that was stopped or killed, from its last checkpoint; with overrides, beyond its end, too.

    Args:
        overrides: of the recipe, for what comes: `["train.epochs=150"]`.
        changed_data: the data set has changed since, and that is meant.

    Raises:
        InputError: the path is no run folder, its run is over, or its data set has changed.
        RunFailed: the checkpoint is damaged.
    """
    from zoo.jobs.afterwards import reported_later
    from zoo.jobs.live import resume_run

    folder = Folder.open(Path(path))
    results = folder.results()
    if results is not None and not overrides:
        if (folder.path / REPORT).exists():
            raise InputError(
                f"{folder.path} is complete: there is nothing to resume",
                f"zoo resume {folder.path} train.epochs=N goes on; zoo eval {folder.path} scores it",
            )
        return reported_later(folder, results, changed_data)
    with resume_run(path, overrides, changed_data=changed_data) as (experiment, live):
        return train(experiment, live)


def train(
    experiment: Experiment,
    run: LiveRun,
    steps: Callable[[int], Iterable[Step]] | None = None,
    *,
    limit: int | None = None,
) -> Results:
    """Train what is prepared to its end, from the run's last checkpoint where there is one; return the results.

    Everything that `[train]` and `[eval]` say is done between the steps: log, evaluate, save, stop.

    Args:
        steps: `steps(start)` trains, and yields a record for each step after the first `start`, in place of
            `experiment.steps`: for another kind of training. What it changes beside the weights and the optimizer
            belongs into `experiment.stateful`.
        limit: batches to look at in evaluations, for a dry run, of which no report is made.

    Raises:
        Stopped: a signal came; the checkpoint is complete.
        RunFailed: a loss is not finite, or memory or disk ran out; the last checkpoint is kept.
    """
    from zoo.jobs.afterwards import checked_load, reported
    from zoo.jobs.evaluate import signatures
    from zoo.jobs.progress import Progress
    from zoo.jobs.scoring import Prepared
    from zoo.jobs.train import summary, train_steps

    state = run.load()
    progress = Progress() if state is None else take_up(experiment, run, state)
    _say_if_threads_are_slow(experiment)
    train_steps(experiment, run, progress, steps, limit=limit)
    scoring = checked_load(experiment, run.files, progress)
    if limit is not None:
        run.expect = {}
    more = {**signatures(scoring), **summary(experiment, progress), "seconds": round(progress.seconds, 2)}
    results = run.finish(progress.figures, **more)
    if limit is not None:
        return results
    return reported(run.files, results, Prepared(experiment.builder, experiment.data, scoring, experiment.eval))


def take_up(experiment: Experiment, live: LiveRun, state: dict[str, Any]) -> Progress:
    """Go on where a checkpoint was made."""
    from zoo.jobs.progress import Progress
    from zoo.runs.checkpoint import no_checkpoint

    try:
        experiment.load_state_dict(state["experiment"])
        progress = Progress.from_state(state["progress"], experiment.device)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RuntimeError) as error:
        raise no_checkpoint(live.files, error) from error
    if live.changed:
        _say_how_it_goes_on(experiment, progress, state["experiment"]["total_steps"])
    return progress


def _say_how_it_goes_on(experiment: Experiment, progress: Progress, before: int) -> None:
    """Say what becomes of the schedule where the run has another end now."""
    steps = experiment.total_steps
    progress.stale = 0
    if experiment.update.schedule is not None and before != steps:
        logger.warning(
            "the schedule goes on as one of %s steps is at step %s (before, it was one of %s)",
            steps, progress.step, before,
        )  # fmt: skip


def _trained(recipe: Recipe, catalog: Catalog, out: str | Path | None, limit: int | None = None) -> Results:
    from zoo.jobs.experiment import prepare
    from zoo.jobs.live import start_run

    experiment = prepare(recipe, catalog=catalog)
    with start_run(experiment, out) as live:
        return train(experiment, live, limit=limit)


def _say_if_threads_are_slow(experiment: Experiment) -> None:
    from zoo.training.hardware import slowdown_of_threads

    slowdown = slowdown_of_threads() if experiment.device.type == "cpu" else 1.0
    if slowdown > SLOW:
        logger.warning(
            "other programs keep the cores busy: several threads take %.0f times as long as one just now; "
            "OMP_NUM_THREADS=1 would be faster", slowdown,
        )  # fmt: skip


def _scored(recipe: Recipe, catalog: Catalog, out: str | Path | None) -> Results:
    """A recipe of `[init]` and `[eval]` alone: score the weights, and leave them with the results."""
    from zoo.jobs.afterwards import reported
    from zoo.jobs.evaluate import evaluate, signatures
    from zoo.jobs.live import start_run
    from zoo.jobs.scoring import prepare_scoring
    from zoo.runs.weights import weights_of

    started = time.monotonic()
    prepared = prepare_scoring(recipe, catalog)
    scoring = prepared.scoring
    figures = evaluate(scoring)
    with start_run(prepared, out) as live:
        tensors, tied = weights_of(scoring.model)
        live.save_weights({**tensors, **scoring.learner.own_tensors()}, tied)
        live.keep(figures)
        live.evaluated(figures)
        results = live.finish(figures, **signatures(scoring), seconds=round(time.monotonic() - started, 2))
        return reported(live.files, results, prepared)


def _one_step(recipe: Recipe) -> Recipe:
    if "train" not in recipe.table:
        raise InputError("--dry-run needs a recipe with [train]")
    train = recipe.table["train"]
    for key in ("epochs", "evaluate_every_epochs", "evaluate_every_steps"):
        train.pop(key, None)
    train["steps"] = 1
    recipe.table.pop("expect", None)
    return recipe
