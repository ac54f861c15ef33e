"""Work on the trials of a sweep: over the whole space first, then around the best point."""

from __future__ import annotations

import json
import logging
import math
import multiprocessing
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

from zoo import (
    Folder,
    InputError,
    RunFailed,
    Stopped,
    hookimpl,
    listening,
    open_recipe,
    resume,
    run,
    stop_on_signals,
)
from zoo_lab.sweep.plan import Plan
from zoo_lab.sweep.study import Study, Trial

if TYPE_CHECKING:
    import optuna

POLL_SECONDS = 0.5  # between looks at what other processes do

logger = logging.getLogger("zoo.sweep")


class UnknownFigure(InputError):
    """No run has the figure that the sweep is about."""


def run_trials(plan: Plan, workers: int = 1) -> list[Trial]:
    """Run what is left of a sweep, side by side in so many processes, and return all trials.

    Other processes and machines may work on the same folder: each trial is done once, and all wait for the last one.

    Raises:
        RunFailed: no trial came to its end.
        Stopped: a signal came; `zoo sweep` with the same arguments goes on.
    """
    study = Study(plan)
    if workers > 1:
        _side_by_side(plan, workers)
    _work(plan, study)  # all of it, or what a process died over
    return study.trials()


def _side_by_side(plan: Plan, workers: int) -> None:
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=_worker, args=(plan,)) for _ in range(workers)]
    with stop_on_signals() as stop:
        for process in processes:
            process.start()
        while not stop.requested and any(process.is_alive() for process in processes):
            time.sleep(POLL_SECONDS)
        for process in processes:
            process.terminate()  # a signal, at which a run stops between two steps
            process.join()
        stop.check()


def _worker(plan: Plan) -> None:
    for number in (signal.SIGINT, signal.SIGHUP):  # a terminal sends them to all; one signal, the parent's, is enough
        signal.signal(number, signal.SIG_IGN)
    try:
        _work(plan, Study(plan))
    except Stopped as stopped:
        sys.exit(stopped.exit_status)


def _work(plan: Plan, study: Study) -> None:
    """Do the trials that are not done and that no other process is at, until all are over."""
    with stop_on_signals() as stop:
        for look_around in (False, True):
            if look_around:
                study.look_around()
            while not study.is_over():
                stop.check()
                with study.next() as taken:
                    if taken is not None:
                        _run(plan, study, *taken)
                if taken is None:
                    time.sleep(POLL_SECONDS)
            if study.best() is None:
                errors = {trial.error for trial in study.trials() if trial.error}
                raise RunFailed("no trial of the sweep came to its end", "; ".join(sorted(errors)))


def _run(plan: Plan, study: Study, trial: Trial, handle: optuna.Trial) -> None:
    """Run a trial, or go on with it, and note how it ended."""
    point = " ".join(f"{key}={json.dumps(value)}" for key, value in trial.point.items())
    logger.warning("trial %s: %s", trial.number, point)
    watch = _Watch(plan, trial, handle)
    try:
        with listening(watch, "sweep"):
            results = _results(plan, trial)
            if not math.isfinite(value := _figure(plan, results["figures"])):
                raise RunFailed(f"`{plan.settings.figure}` is {value}")
    except Stopped:
        if not watch.hopeless:
            raise
        study.end(trial.number, "pruned")
    except UnknownFigure:
        raise
    except (RunFailed, InputError) as error:  # a rate too high, a width that does not fit: the others go on
        logger.warning("trial %s failed: %s", trial.number, error)
        handle.set_user_attr("error", str(error))
        study.end(trial.number, "failed")
    else:
        handle.set_user_attr("figures", results["figures"])
        handle.set_user_attr("seconds", results["seconds"])
        study.end(trial.number, "done", value)


def _results(plan: Plan, trial: Trial) -> dict[str, Any]:
    folder = plan.folder / f"trial-{trial.number:04d}"
    done = Folder(folder).results()
    if done is not None:
        return done
    if (folder / "manifest.json").exists():
        return resume(folder)
    recipe = open_recipe(plan.recipe, plan.overrides, plan.quick)
    return run(recipe, trial.point, out=folder)


def _figure(plan: Plan, figures: dict[str, float]) -> float:
    name = plan.settings.figure
    if name not in figures:
        message = f"the sweep is about `{name}`, and a run has {', '.join(figures)}"
        raise UnknownFigure(message, "sweep.figure names one")
    return figures[name]


class _Watch:
    """Tells Optuna the figure of every evaluation, and asks a run to stop that its pruner gives up."""

    def __init__(self, plan: Plan, trial: Trial, handle: optuna.Trial) -> None:
        self.plan, self.handle, self.reported = plan, handle, set(trial.steps)
        self.hopeless = False

    @hookimpl
    def zoo_evaluated(self, run: Any, figures: dict[str, float]) -> None:
        value = figures.get(self.plan.settings.figure)
        if value is None or run.step in self.reported:  # a run that goes on may come to a step again
            return
        self.reported.add(run.step)
        self.handle.report(value, run.step)
        self.hopeless = self.plan.settings.prune and self.handle.should_prune()
        run.stop.requested |= self.hopeless
