"""The training job: the loop, and what is done with each of its steps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from zoo.errors import InputError, RunFailed
from zoo.jobs.evaluate import Figures, evaluate, fingerprint
from zoo.jobs.experiment import Experiment
from zoo.jobs.live import LiveRun
from zoo.jobs.monitor import require_figure
from zoo.jobs.progress import Progress, require_finite
from zoo.runs.folder import STATE, WEIGHTS
from zoo.training.loop import Step


def train_steps(
    experiment: Experiment,
    run: LiveRun,
    progress: Progress,
    steps: Callable[[int], Iterable[Step]] | None = None,
    *,
    limit: int | None = None,
) -> None:
    """Train from where `progress` stands to the end, leaving checkpoints and the chosen weights in the run's folder.

    Args:
        steps: trains in place of `experiment.steps`.
        limit: batches to look at in evaluations, for a dry run.

    Raises:
        Stopped: a signal came; the checkpoint is complete.
        RunFailed: a loss is not finite, or memory or disk ran out; the last checkpoint is kept.
    """
    job = _Training(experiment, run, progress, limit)
    with _known_failures(experiment):
        job.begin()
        if not job.is_done():
            for step in (steps or experiment.steps)(progress.step):
                progress.add(step)
                run.stepped(step)
                if step.number % experiment.train.log_every_steps == 0:
                    job.log()
                if job.evaluation_is_due():
                    job.evaluate()
                    if job.is_done():
                        break
                elif time.monotonic() - job.saved_at > experiment.train.checkpoint_every_seconds:
                    job.save()
                job.leave_if_stopped()
                progress.goes_on()
    progress.seconds = time.monotonic() - job.started


class _Training:
    """What is due after a step, and how it is done."""

    def __init__(self, experiment: Experiment, run: LiveRun, progress: Progress, limit: int | None) -> None:
        self.experiment, self.run, self.progress, self.limit = experiment, run, progress, limit
        self.settings = experiment.train
        self.started = time.monotonic() - progress.seconds
        self.saved_at = time.monotonic()

    def begin(self) -> None:
        """Save the first values of a new run; make up for what was due when another was interrupted."""
        if self.progress.step == 0 and not self.run.files.has(STATE):
            self.save()
        self.leave_if_stopped()
        if self.evaluation_is_due():
            self.evaluate()
        self.progress.goes_on()

    def evaluation_is_due(self) -> bool:
        step, settings = self.progress.step, self.settings
        if step == 0 or self.progress.evaluated == step:
            return False
        every = settings.evaluate_every_steps
        if every is None:
            every = (settings.evaluate_every_epochs or 1) * self.experiment.steps_per_epoch
        return step % every == 0 or step >= self.experiment.total_steps or self._time_is_up()

    def is_done(self) -> bool:
        """Whether training ends here: after its last step, or before."""
        if self.progress.evaluated != self.progress.step:
            return False
        if self.progress.step >= self.experiment.total_steps or self._time_is_up():
            return True
        patience = self.settings.patience
        return patience is not None and self.progress.stale >= patience

    def log(self) -> None:
        means = self.progress.take_window(self.experiment.steps_per_epoch)
        if means:
            progress, run = self.progress, self.run
            run.examples_per_second = progress.examples_per_second
            run.seconds_left = (run.steps - run.step) * progress.train_seconds / max(1, run.step)
            run.log({f"train/{name}" if name != "lr" else name: value for name, value in means.items()})

    def evaluate(self) -> None:
        """Evaluate, keep the weights where they are the best, save."""
        self.log()
        self.leave_if_stopped()
        try:
            figures = evaluate(self.experiment, stop=self.run.stop, limit=self.limit)
        except Exception:
            self.leave_if_stopped()
            raise
        progress = self.progress
        progress.evaluated = progress.step
        self.run.keep(figures)
        best = self._judge(figures)
        schedule = self.experiment.update.schedule
        if hasattr(schedule, "num_bad_epochs"):
            schedule.step(figures[self.experiment.monitor])
        self.save(with_weights=best or self.settings.keep == "last")
        self.run.best = progress.chosen
        self.run.evaluated(figures)
        self.leave_if_stopped()

    def _judge(self, figures: Figures) -> bool:
        """Whether the weights are to be kept, as the best so far or the first; `progress` remembers the figures."""
        require_figure(self.experiment.monitor, figures, "is monitored")
        value, progress = figures[self.experiment.monitor], self.progress
        better = value == value and (
            progress.best is None or (value > progress.best if self.experiment.mode == "max" else value < progress.best)
        )
        if better or progress.best is None:
            progress.best = value if value == value else None
            progress.best_step = progress.step
            progress.stale = 0
        else:
            progress.stale += 1
        progress.chosen = better and self.settings.keep == "best"
        if better or self.settings.keep == "last" or not progress.figures:
            progress.figures = figures
        return better or not self.run.files.has(WEIGHTS)

    def save(self, with_weights: bool = False) -> None:
        """Commit a checkpoint, with the chosen weights where they are new.

        Nothing is saved whose losses and weights have not been looked at.
        """
        self.progress.seconds = time.monotonic() - self.started
        window = list(self.progress.window)
        self.progress.take_window(self.experiment.steps_per_epoch)
        self.progress.window = window
        require_finite(self.experiment.model, self.progress.step)
        weights = None
        if with_weights:
            self.progress.fingerprint, self.progress.first_outputs = fingerprint(self.experiment.scoring)
            weights = self.experiment.weights()
        self.run.save({"experiment": self.experiment.state_dict(), "progress": self.progress.state_dict()}, weights)
        self.saved_at = time.monotonic()

    def leave_if_stopped(self) -> None:
        if self.run.stop.requested:
            self.save()
            self.run.check_stop()

    def _time_is_up(self) -> bool:
        limit = self.settings.time_limit
        return limit is not None and time.monotonic() - self.started > limit


@contextmanager
def _known_failures(experiment: Experiment) -> Iterator[None]:
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise _out_of_memory(experiment) from error
    except ValueError as error:
        if "more than 1 value per channel" in str(error):
            raise _batch_of_one(experiment) from error
        raise
    except RuntimeError as error:
        if "alloc" in str(error) and "memory" in str(error):
            raise _out_of_memory(experiment) from error
        raise


def _batch_of_one(experiment: Experiment) -> InputError:
    size = experiment.train.batch_size
    which = "a batch" if size == 1 else f"the last batch of an epoch in batches of {size}"
    help = "train.batch_size=16" if size == 1 else "train.fixed_batches=true leaves it out"
    return InputError(f"{which} has one sample, and batch norm needs more to train", help)


def _out_of_memory(experiment: Experiment) -> RunFailed:
    size = experiment.train.batch_size
    return RunFailed(
        f"memory ran out with batches of {size}",
        f"train.batch_size={max(1, size // 2)} train.accumulate={2 * experiment.train.accumulate} needs half of it",
    )


def summary(experiment: Experiment, progress: Progress) -> dict[str, Any]:
    """Return speed and length of a finished training, for results.json."""
    computing = progress.train_seconds - progress.data_seconds
    return {
        "steps": progress.step,
        **({"best_step": progress.best_step} if experiment.train.keep == "best" else {}),
        "examples_per_second": round(progress.examples_per_second, 2),
        "examples_per_second_less_loading": round(progress.examples / computing, 2) if computing > 0 else 0.0,
        "device": str(experiment.device),
        "precision": experiment.precision,
    }
