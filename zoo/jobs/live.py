"""A run that goes on: its folder, its stop signals, and the plugins that are told what happens in it."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch

from zoo.errors import InputError, Stopped
from zoo.jobs.experiment import Experiment, prepare
from zoo.jobs.run_files import (
    Results,
    beginnings,
    claimed,
    finish,
    keep_failures,
    require_same_data,
    require_same_runs,
    verdicts_of,
)
from zoo.jobs.signals import Stop, stop_on_signals
from zoo.recipes.build import Builder
from zoo.recipes.check import require_valid
from zoo.recipes.recipe import Overrides, load_recipe
from zoo.registry.catalog import Catalog
from zoo.registry.hooks import RunInfo
from zoo.registry.plugins import Plugins
from zoo.runs.checkpoint import no_checkpoint, read_state, state_files
from zoo.runs.files import Content
from zoo.runs.folder import ENVIRONMENT, METRICS, RECIPE, STATE, WEIGHTS, Folder
from zoo.runs.weights import encode
from zoo.training.loop import Step

Figures = Mapping[str, float]
Status = Literal["done", "stopped", "failed"]

logger = logging.getLogger(__name__)


class LiveRun(RunInfo):
    """A run, for the job that does its work: what is logged and saved here is told to the listeners.

    Attributes:
        files: the folder's files, behind their manifest.
        stop: whether a signal has asked for a stop.
        changed: what the next checkpoint replaces, where a run goes on with other settings: it may have another end.
        resume_command: what goes on with it, for the person who stops it.
    """

    resume_command = "zoo resume"

    def __init__(self, files: Folder, builder: Builder, plugins: Plugins, stop: Stop, **progress: Any) -> None:
        super().__init__(files.path, builder.spelled, files.read_json(ENVIRONMENT), **progress)
        self.files, self.stop, self.plugins = files, stop, plugins
        self.expect = builder.recipe.table.get("expect", {})
        self.results: Results | None = None
        self.changed: dict[
            str, Content
        ] = {}  # what the next checkpoint replaces: the recipe of a run that goes further
        self._loaded: dict[str, Any] | None = None
        self._tells_steps = plugins.has_listener("zoo_step_finished")

    def stepped(self, step: Step) -> None:
        """Tell that a step is done."""
        self.step = step.number
        if self._tells_steps:
            self.plugins.tell("zoo_step_finished", run=self, step=step)

    def log(self, figures: Figures) -> None:
        """Keep figures of training (`train/loss`) in metrics.jsonl, and tell them."""
        self.files.log.append({"step": self.step, "epoch": max(1, self.epoch), **figures})
        self.plugins.tell("zoo_logged", run=self, figures=dict(figures))

    def keep(self, figures: Figures) -> None:
        """Keep figures of an evaluation (`val/loss`) in metrics.jsonl."""
        self.files.log.append({"step": self.step, "epoch": max(1, self.epoch), **figures})

    def evaluated(self, figures: Figures) -> None:
        """Tell the figures of an evaluation."""
        self.plugins.tell("zoo_evaluated", run=self, figures=dict(figures))

    def save(self, state: dict[str, Any], weights: tuple[dict[str, Any], dict[str, str]] | None = None) -> None:
        """Commit a checkpoint, and with it the weights where they are given: all of it or nothing.

        Args:
            state: tensors and JSON values in dicts and lists, however deep: `{"experiment": experiment.state_dict()}`.
            weights: tensors by name, and the names that are tied: `experiment.weights()`.
        """
        size, threads = self.files.log.flushed_size(), torch.get_num_threads()
        files = state_files({"step": self.step, "metrics_size": size, "threads": threads, "state": state})
        if weights is not None:
            tensors, tied = weights
            files[WEIGHTS] = encode(tensors, {"assets": self.files.asset_hashes(), "tied": tied})
        if self.changed:
            self.files.reopen()
        self.files.commit({**self.changed, **files})
        self.changed = {}

    def load(self) -> dict[str, Any] | None:
        """Return the state of the last checkpoint, or None where there is none yet.

        What metrics.jsonl says of later steps is forgotten, since they are done again.

        Raises:
            RunFailed: it is damaged.
        """
        if self._loaded is None and self.files.has(STATE):
            self._loaded = read_state(self.files)
        loaded, self._loaded = self._loaded, None  # kept no longer than until it is taken up
        if loaded is None:
            self.files.log.cut(0)
            return None
        try:
            state: dict[str, Any] = loaded["state"]
            size, before, now = loaded["metrics_size"], loaded["threads"], torch.get_num_threads()
            if not size >= 0:
                raise ValueError(f"{size} bytes of {METRICS}")
        except (KeyError, TypeError, ValueError) as error:
            raise no_checkpoint(self.files, error) from error
        if missing := self.files.log.cut(size):
            logger.warning("%s has lost %s bytes of its lines before the checkpoint", self.folder / METRICS, missing)
        if now != before:
            logger.warning(
                "this run used %s threads and now has %s: sums round otherwise, so it cannot end exactly as it "
                "would have (OMP_NUM_THREADS=%s)", before, now, before,
            )  # fmt: skip
        return state

    def _take(self, loaded: dict[str, Any]) -> None:
        try:
            self.step = int(loaded["step"])
        except (KeyError, TypeError, ValueError) as error:
            raise no_checkpoint(self.files, error) from error
        self._loaded = loaded

    def check_stop(self) -> None:
        """Leave where a signal has asked for it; whatever is to be kept has been saved.

        Raises:
            Stopped: the command that goes on with the run is in it.
        """
        if self.stop.requested:
            raise Stopped("stopped by a signal", f"{self.resume_command} {shlex.quote(str(self.folder))}")

    def save_weights(self, tensors: dict[str, Any], tied: dict[str, str]) -> None:
        """Commit weights without a checkpoint."""
        metadata = {"assets": self.files.asset_hashes(), "tied": tied}
        self.files.commit({WEIGHTS: encode(tensors, metadata)})

    def finish(self, figures: Figures, **more: Any) -> Results:
        """Write results.json, with a verdict for each figure of `[expect]`, and tell that the run is over."""
        verdicts = verdicts_of(self.expect, figures)
        self.results = finish(self.files, {"figures": dict(figures), "expect": verdicts, **more})
        self.ended("done")
        return self.results

    def ended(self, status: Status) -> None:
        """Tell how the run ended, and keep in environment.json which listeners have failed."""
        self.plugins.tell("zoo_run_ended", run=self, status=status, results=self.results)
        keep_failures(self.files, self.plugins.failures.values())


@contextmanager
def start_run(experiment: Any, out: str | Path | None = None) -> Iterator[LiveRun]:
    """Begin a run of what has been prepared, in a folder of its own: locked, with recipe, assets and environment.

    Inside, signals ask for a stop in place of ending the program, and plugins are told when the run begins and ends.

    Args:
        out: the run folder; by default `runs/<recipe>/<n>`.

    Raises:
        InputError: something else is in the folder.
    """
    builder = experiment.builder
    plugins = builder.catalog.plugins
    with stop_on_signals() as stop, claimed(builder.recipe, None if out is None else Path(out)) as files:
        files.recover()
        files.commit(beginnings(builder, experiment.device, experiment.data))
        run = LiveRun(files, builder, plugins, stop, **_lengths(experiment))
        with _told(run, plugins):
            yield run


@contextmanager
def resume_run(
    path: str | Path, overrides: Overrides = (), *, changed_data: bool = False, catalog: Catalog | None = None
) -> Iterator[tuple[Experiment, LiveRun]]:
    """Go on with a run that was stopped or killed: its experiment, built anew, and the run.

    The experiment's state is the caller's to load: see `LiveRun.load`.

    Args:
        overrides: of the recipe, for what comes; recipe.toml has them from now on.
        changed_data: the data set has changed since, and that is meant.

    Raises:
        InputError: the path is no run folder, or its data set or a teacher has changed.
        RunFailed: a file of it is damaged.
    """
    files, catalog = Folder.open(Path(path)), catalog or Catalog()
    recipe = files.read(RECIPE, lambda file: load_recipe(file, overrides))
    require_valid(recipe, catalog)
    if "train" not in recipe.table:
        raise InputError(f"{files.path} has no training to resume", f"zoo run {files.path / RECIPE}")
    with files.locked(), stop_on_signals() as stop:
        files.recover()
        experiment = prepare(recipe, catalog=catalog)
        require_same_data(files, experiment.data, changed_data, takes_over=True)
        require_same_runs(files, experiment.builder.runs)
        run = LiveRun(files, experiment.builder, catalog.plugins, stop, resumed=True, **_lengths(experiment))
        if files.has(STATE):
            run._take(read_state(files))
        if overrides:
            _require_further(run)
            run.changed = beginnings(experiment.builder, experiment.device, experiment.data)
        with _told(run, catalog.plugins):
            yield experiment, run


def _require_further(run: LiveRun) -> None:
    """Refuse an end that is not beyond where a run stands already.

    Raises:
        InputError: it is not.
    """
    if run.steps <= run.step:
        epochs = f"{run.step / run.steps_per_epoch:g} epochs"
        raise InputError(
            f"the run has done {run.step} steps ({epochs}), and {run.steps} are no more",
            f"train.epochs={run.step // run.steps_per_epoch + 1} or more",
        )


def _lengths(experiment: Any) -> dict[str, int]:
    if not isinstance(experiment, Experiment):  # nothing is trained
        return {}
    return {"steps": experiment.total_steps, "steps_per_epoch": experiment.steps_per_epoch}


@contextmanager
def _told(run: LiveRun, plugins: Plugins) -> Iterator[None]:
    """Tell the listeners that a run begins, and how it ends."""
    plugins.failures.clear()
    plugins.tell("zoo_run_started", run=run)
    status: Status = "failed"
    try:
        yield
    except Stopped:
        status = "stopped"
        raise
    finally:
        if run.results is None:
            run.ended(status)
