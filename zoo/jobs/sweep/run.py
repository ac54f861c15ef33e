"""Many runs of one recipe with other values: over the whole space first, then around the best point."""

from __future__ import annotations

import fcntl
import json
import logging
import multiprocessing
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import InputError, RunFailed, Stopped
from zoo.jobs import recipe as jobs
from zoo.jobs.opening import open_recipe
from zoo.jobs.run_files import Results
from zoo.jobs.signals import stop_on_signals
from zoo.jobs.sweep.space import Space, grid, neighbour, random_point, read_space
from zoo.jobs.sweep.trials import Trial, read_trial, read_trials, write_trial
from zoo.recipes.recipe import parse_overrides
from zoo.recipes.schema import convert, parameters_of
from zoo.recipes.settings import Sweep
from zoo.registry.catalog import Catalog
from zoo.registry.hooks import hookimpl
from zoo.registry.plugins import listening
from zoo.runs.files import write_file
from zoo.runs.folder import MANIFEST, Folder, new_folder

PLAN = "sweep.json"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """A sweep, as its sweep.json has it.

    Attributes:
        recipe: a file, or a shipped recipe's name.
        overrides: `KEY=VALUE` texts that hold for all trials.
    """

    folder: Path
    recipe: str
    overrides: list[str]
    quick: bool
    settings: Sweep

    @property
    def space(self) -> Space:
        return read_space(self.settings.over)

    @property
    def searched(self) -> int:
        """Trials before those around the best."""
        return len(grid(self.space)) if self.settings.method == "grid" else self.settings.trials


def make_plan(recipe: str, overrides: Iterable[str], over: Mapping[str, Any], quick: bool, out: Path | None) -> Plan:
    """Check a recipe's `[sweep]`, and open a folder for it or the one where it was begun.

    Args:
        over: what is varied, added to the recipe's `[sweep.over]`.

    Raises:
        InputError: the recipe or the sweep is wrong, or the folder has another sweep.
    """
    overrides = list(overrides)
    loaded = open_recipe(recipe, overrides, quick, Catalog())
    table = loaded.table.get("sweep", {})
    table = {**table, "over": {**table.get("over", {}), **over}}
    settings = Sweep(**convert(table, parameters_of(Sweep)))
    point = random_point(read_space(settings.over), settings.seed, 0)
    # Keys exist and take such values.
    open_recipe(recipe, {**parse_overrides(overrides), **point}, quick, Catalog())
    folder = out or new_folder(f"{loaded.name}-sweep")
    folder.mkdir(parents=True, exist_ok=True)
    content = json.dumps({"recipe": recipe, "overrides": overrides, "quick": quick, "sweep": table}, indent=2)
    file = folder / PLAN
    if file.exists() and file.read_text() != content:
        raise InputError(f"{folder} has another sweep", "name another folder with --out")
    write_file(file, content.encode())
    return Plan(folder, recipe, overrides, quick, settings)


def run_trials(plan: Plan, workers: int = 1) -> list[Trial]:
    """Run what is left of a sweep, side by side in so many processes, and return all trials.

    Raises:
        RunFailed: no trial came to its end.
        Stopped: a signal came; `zoo sweep` with the same arguments goes on.
    """
    for numbers in (range(plan.searched), range(plan.searched, plan.searched + plan.settings.neighbours)):
        if workers > 1:
            _side_by_side(plan, numbers, workers)
        _work(plan, numbers)  # all of it, or what a process died over
        if not any(trial.state == "done" for trial in read_trials(plan.folder)):
            raise RunFailed("no trial of the sweep came to its end", f"see the errors in {plan.folder}/trial-*.json")
    return list(read_trials(plan.folder))


def best_trial(plan: Plan, trials: Iterable[Trial]) -> Trial:
    """The finished trial with the best value."""
    done = [trial for trial in trials if trial.value is not None and trial.state == "done"]
    return (max if plan.settings.mode == "max" else min)(done, key=lambda trial: trial.value or 0.0)


def _side_by_side(plan: Plan, numbers: range, workers: int) -> None:
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=_work, args=(plan, numbers)) for _ in range(workers)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()


def _work(plan: Plan, numbers: range) -> None:
    """Do the trials that are not done, and that no other process is at."""
    with stop_on_signals() as stop:
        for number in numbers:
            stop.check()
            _try(plan, number)


def _try(plan: Plan, number: int) -> None:
    with _claimed(plan.folder / f"trial-{number:04d}.json") as file:
        if file is None:
            return
        trial = read_trial(file) or _new_trial(plan, number)
        if trial.state != "running":
            return
        write_trial(file, trial)
        point = " ".join(f"{key}={json.dumps(value)}" for key, value in trial.point.items())
        logger.warning("trial %s: %s", number, point)
        _run(plan, trial)
        write_trial(file, trial)


@contextmanager
def _claimed(file: Path) -> Iterator[Path | None]:
    """The file, for as long as no other process has it; None where one does. The lock goes with the process."""
    locks = file.parent / ".locks"
    locks.mkdir(exist_ok=True)
    with (locks / file.stem).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield None
            return
        file.touch()
        yield file


def _new_trial(plan: Plan, number: int) -> Trial:
    settings, space = plan.settings, plan.space
    if number >= plan.searched:
        best = best_trial(plan, [trial for trial in read_trials(plan.folder) if not trial.near])
        return Trial(number, neighbour(space, best.point, settings.seed, number), near=True)
    if settings.method == "grid":
        return Trial(number, grid(space)[number])
    if settings.method == "tpe":
        from zoo.jobs.sweep.study import suggest

        return Trial(number, suggest(space, settings, list(read_trials(plan.folder)), number))
    return Trial(number, random_point(space, settings.seed, number))


def _run(plan: Plan, trial: Trial) -> None:
    """Run a trial, or go on with it, and note how it ended."""
    folder = plan.folder / f"trial-{trial.number:04d}"
    watch = _Watch(plan, trial)
    try:
        with listening(watch, "sweep"):
            results = _results(plan, trial, folder)
    except Stopped:
        if not watch.hopeless:
            raise
        trial.state = "pruned"
    except (RunFailed, InputError) as error:  # a rate too high, a width that does not fit: the others go on
        trial.state, trial.error = "failed", str(error)
        logger.warning("trial %s failed: %s", trial.number, error)
    else:
        trial.figures, trial.seconds = results["figures"], results["seconds"]
        trial.value = _figure(plan, results["figures"])
        trial.state = "done"


def _results(plan: Plan, trial: Trial, folder: Path) -> Results:
    done = Folder(folder).results()
    if done is not None:
        return done
    if (folder / MANIFEST).exists():
        return jobs.resume(folder)
    return jobs.run(plan.recipe, {**parse_overrides(plan.overrides), **trial.point}, quick=plan.quick, out=folder)


def _figure(plan: Plan, figures: Mapping[str, float]) -> float:
    name = plan.settings.figure
    if name not in figures:
        raise InputError(f"the sweep is about `{name}`, and a run has {', '.join(figures)}", "sweep.figure names one")
    return figures[name]


class _Watch:
    """Notes the figure of every evaluation, and asks a run to stop that does worse than most did at that step."""

    def __init__(self, plan: Plan, trial: Trial) -> None:
        self.plan, self.trial = plan, trial
        self.hopeless = False

    @hookimpl
    def zoo_evaluated(self, run: Any, figures: Mapping[str, float]) -> None:
        value = figures.get(self.plan.settings.figure)
        if value is None:
            return
        self.trial.steps[str(run.step)] = value
        if self.plan.settings.prune:
            from zoo.jobs.sweep.study import is_hopeless

            others = [trial for trial in read_trials(self.plan.folder) if trial.number != self.trial.number]
            self.hopeless = is_hopeless(self.plan.settings, self.trial, others)
            run.stop.requested |= self.hopeless
