"""The training job: a body around `fit` that logs, evaluates, saves and stops."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from zoo.data import Batch
from zoo.errors import InputError, RunFailed
from zoo.jobs.evaluate import Figures, evaluate, fingerprint
from zoo.jobs.experiment import Experiment
from zoo.jobs.listeners import Listener
from zoo.jobs.monitor import require_figure
from zoo.jobs.progress import Progress, require_finite, save_state
from zoo.jobs.signals import Stop
from zoo.runs.files import Content
from zoo.runs.folder import STATE, WEIGHTS, Folder
from zoo.runs.weights import encode, weights_of
from zoo.training.batches import Batches
from zoo.training.loop import fit


def train(
    experiment: Experiment,
    folder: Folder,
    progress: Progress,
    stop: Stop,
    listener: Listener,
    *,
    limit: int | None = None,
) -> None:
    """Train from where `progress` stands to the end, leaving checkpoints and the chosen weights in the folder.

    Args:
        limit: batches to look at in evaluations, for a dry run.

    Raises:
        Stopped: a signal came; the checkpoint is complete.
        RunFailed: a loss is not finite, or memory or disk ran out; the last checkpoint is kept.
    """
    body = _Body(experiment, folder, progress, stop, listener, limit)
    with _known_failures(experiment):
        body.run()
    progress.seconds = time.monotonic() - body.started


class _Body:
    def __init__(
        self,
        experiment: Experiment,
        folder: Folder,
        progress: Progress,
        stop: Stop,
        listener: Listener,
        limit: int | None,
    ) -> None:
        self.experiment, self.folder, self.progress = experiment, folder, progress
        self.stop, self.listener, self.limit = stop, listener, limit
        self.settings = experiment.train
        self.started = time.monotonic() - progress.seconds
        self.saved_at = time.monotonic()

    def run(self) -> None:
        experiment, progress = self.experiment, self.progress
        progress.steps = experiment.steps
        batches = _TimedBatches(experiment.batches, progress)
        if progress.step == 0 and not self.folder.has(STATE):
            self._save()
        self._leave_if_stopped()
        if self._evaluation_is_due():
            self._evaluate()
        if self._is_done():
            return
        experiment.learner.train()
        for module in experiment.frozen:
            module.eval()
        steps = fit(
            experiment.learner,
            batches,
            experiment.update,
            steps=experiment.steps,
            start=progress.step,
            accumulate=self.settings.accumulate,
        )
        tell, log_every = self.listener.step, self.settings.log_every_steps
        before = time.monotonic()
        for step in steps:
            progress.add(step)
            if tell is not None:
                tell(step)
            if step.number % log_every == 0:
                self._log()
            now = time.monotonic()
            progress.train_seconds += now - before
            progress.seconds = now - self.started
            if self._evaluation_is_due():
                self._evaluate()
                if self._is_done():
                    return
            elif now - self.saved_at > self.settings.checkpoint_every_seconds:
                self._save()
            self._leave_if_stopped()
            before = time.monotonic()

    def _evaluation_is_due(self) -> bool:
        step, settings = self.progress.step, self.settings
        if step == 0 or self.progress.evaluated == step:
            return False
        every = settings.evaluate_every_steps
        if every is None:
            every = (settings.evaluate_every_epochs or 1) * self.experiment.steps_per_epoch
        return step % every == 0 or step >= self.experiment.steps or self._time_is_up()

    def _is_done(self) -> bool:
        """Whether training ends here, before its last step."""
        if self.progress.evaluated != self.progress.step:
            return False
        patience = self.settings.patience
        return self._time_is_up() or (patience is not None and self.progress.stale >= patience)

    def _evaluate(self) -> None:
        """Evaluate, keep the weights where they are the best, save."""
        self._log()
        self._leave_if_stopped()
        try:
            figures = evaluate(self.experiment.scoring, self.stop, self.limit)
        except Exception:
            self._leave_if_stopped()
            raise
        progress = self.progress
        progress.evaluated = progress.step
        event = {"step": progress.step, "epoch": self._epoch(), **figures}
        self.folder.log.append(event)
        best = self._judge(figures)
        schedule = self.experiment.update.schedule
        if hasattr(schedule, "num_bad_epochs"):
            schedule.step(figures[self.experiment.monitor])
        progress.seconds = time.monotonic() - self.started
        self._save(with_weights=best or self.settings.keep == "last")
        self.listener.evaluated(progress, self._epoch(), figures)
        self._leave_if_stopped()

    def _judge(self, figures: Figures) -> bool:
        """Whether these are the best figures so far; `progress` remembers them."""
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
        return better or not self.folder.has(WEIGHTS)

    def _log(self) -> None:
        means = self.progress.take_window(self.experiment.steps_per_epoch)
        if means:
            figures = {f"train/{name}" if name != "lr" else name: value for name, value in means.items()}
            self.folder.log.append({"step": self.progress.step, "epoch": self._epoch(), **figures})
            self.listener.logged(self.progress, figures)

    def _save(self, with_weights: bool = False) -> None:
        """Nothing is saved whose losses and weights have not been looked at."""
        window = list(self.progress.window)
        self.progress.take_window(self.experiment.steps_per_epoch)
        self.progress.window = window
        require_finite(self.experiment.model, self.progress.step)
        extra: dict[str, Content] = {}
        if with_weights:
            scoring = self.experiment.scoring
            self.progress.fingerprint, self.progress.first_outputs = fingerprint(scoring)
            tensors, tied = weights_of(scoring.model)
            metadata = {"assets": self.folder.asset_hashes(), "tied": tied}
            extra[WEIGHTS] = encode({**tensors, **scoring.learner.own_tensors()}, metadata)
        save_state(self.experiment, self.progress, self.folder, extra)
        self.saved_at = time.monotonic()

    def _leave_if_stopped(self) -> None:
        if self.stop.requested:
            self._save()
            self.stop.check()

    def _time_is_up(self) -> bool:
        limit = self.settings.time_limit
        return limit is not None and time.monotonic() - self.started > limit

    def _epoch(self) -> int:
        """The epoch that the last step belongs to, from 1."""
        return max(0, self.progress.step - 1) // self.experiment.steps_per_epoch + 1


class _TimedBatches:
    """Batches, and a clock that runs while the loop waits for them."""

    def __init__(self, batches: Batches, progress: Progress) -> None:
        self.batches, self.progress = batches, progress

    @property
    def samples(self) -> int:
        return self.batches.samples

    def __len__(self) -> int:
        return len(self.batches)

    def of(self, indices: torch.Tensor) -> Batch:
        return self.batches.of(indices)

    def epoch(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        stream = self.batches.epoch(epoch, first)
        while True:
            before = time.perf_counter()
            batch = next(stream, None)
            self.progress.data_seconds += time.perf_counter() - before
            if batch is None:
                return
            yield batch


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
    """Speed and length of a finished training, for results.json."""
    seconds = progress.train_seconds
    computing = seconds - progress.data_seconds
    return {
        "steps": progress.step,
        **({"best_step": progress.best_step} if experiment.train.keep == "best" else {}),
        "examples_per_second": round(progress.examples / seconds, 2) if seconds else 0.0,
        "examples_per_second_less_loading": round(progress.examples / computing, 2) if computing > 0 else 0.0,
        "device": str(experiment.device),
        "precision": experiment.precision,
    }
