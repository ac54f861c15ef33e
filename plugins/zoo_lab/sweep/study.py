"""The trials of a sweep, in an Optuna study that several processes and machines work on.

The study lies in the sweep's folder, as a journal. All trials of the search wait in it from the start, so that each is
handed out once. Whoever works on a trial holds a lock that ends with the process: a trial that runs without one was
killed, and is taken up again.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from zoo import InputError
from zoo_lab.sweep.plan import Plan
from zoo_lab.sweep.space import Choices, Point, Range, grid, neighbour

if TYPE_CHECKING:
    import optuna

JOURNAL = "study.jsonl"
LOCKS = ".locks"
LEAST_TRIALS = 4  # that must have come to their end before one is pruned
STATES = {"WAITING": "waiting", "RUNNING": "running", "COMPLETE": "done", "PRUNED": "pruned", "FAIL": "failed"}


@dataclass(frozen=True)
class Trial:
    """One run of a sweep; its run folder is trial-0001.

    Attributes:
        state: `waiting`, `running`, `done`, `pruned` or `failed`.
        near: whether it was chosen near the best of those before.
        value: the figure that the sweep is about.
        steps: the figure after each evaluation, by step.
    """

    number: int
    point: Point
    near: bool
    state: str
    value: float | None
    figures: dict[str, float]
    steps: dict[int, float]
    seconds: float
    error: str


class Study:
    """An Optuna study in a sweep's folder."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.space = plan, plan.space
        optuna = _optuna()
        (plan.folder / LOCKS).mkdir(exist_ok=True)
        with _locked(plan.folder / LOCKS / "study"):
            lock = _JournalLock(plan.folder / LOCKS / "journal")
            lock.acquire()
            _mend(plan.folder / JOURNAL)
            lock.release()
            backend = optuna.storages.journal.JournalFileBackend(str(plan.folder / JOURNAL), lock)
            self.study = optuna.create_study(
                study_name="sweep",
                storage=optuna.storages.JournalStorage(backend),
                direction="maximize" if plan.better > 0 else "minimize",
                pruner=optuna.pruners.MedianPruner(n_startup_trials=LEAST_TRIALS, n_warmup_steps=0),
                load_if_exists=True,
            )
            points = grid(self.space) if plan.settings.method == "grid" else [{}] * plan.searched
            for point in points[len(self.study.trials) :]:
                self._enqueue(point)

    def trials(self) -> list[Trial]:
        """Return all trials, in order."""
        return [self._trial(frozen) for frozen in self.study.get_trials(deepcopy=False)]

    def best(self) -> Trial | None:
        """Return the best trial of the search that has come to its end."""
        done = [trial for trial in self.trials() if trial.state == "done" and not trial.near]
        return max(done, key=lambda trial: self.plan.better * (trial.value or 0.0), default=None)

    def is_over(self) -> bool:
        return all(trial.state not in ("waiting", "running") for trial in self.trials())

    def look_around(self) -> None:
        """Have the neighbours of the best point wait; once, whoever asks for it."""
        with _locked(self.plan.folder / LOCKS / "study"):
            best, settings = self.best(), self.plan.settings
            for number in range(len(self.study.trials), self.plan.searched + settings.neighbours):
                if best is not None:
                    self._enqueue(neighbour(self.space, best.point, settings.seed, number))

    @contextmanager
    def next(self) -> Iterator[tuple[Trial, optuna.Trial] | None]:
        """Hand out a trial that nobody works on, with Optuna's handle of it, or None where there is none just now."""
        with ExitStack() as held:
            taken = None
            with _locked(self.plan.folder / LOCKS / "study"):
                for trial in self.trials():
                    if taken is None and trial.state in ("waiting", "running"):
                        if held.enter_context(_claimed(self.plan.folder / LOCKS / f"trial-{trial.number:04d}")):
                            taken = self._take(trial)
            yield taken

    def end(self, number: int, state: str, value: float | None = None) -> None:
        """Note how a trial ended: `done`, `pruned` or `failed`."""
        name = next(name for name, ours in STATES.items() if ours == state)
        self.study.tell(number, value, _optuna().trial.TrialState[name])

    def _take(self, trial: Trial) -> tuple[Trial, optuna.Trial]:
        """Begin a trial that waits, its point chosen by the sampler, or go on with one whose process is gone.

        Each number has a sampler seeded for itself, so that points do not depend on which process draws them.
        """
        optuna, settings = _optuna(), self.plan.settings
        made = optuna.samplers.TPESampler if settings.method == "tpe" else optuna.samplers.RandomSampler
        self.study.sampler = made(seed=Random(f"{settings.seed} {trial.number}").getrandbits(32))
        if trial.state == "waiting":
            handle = self.study.ask()
        else:
            handle = optuna.Trial(self.study, self.study.get_trials(deepcopy=False)[trial.number]._trial_id)
        for key, dimension in self.space.items():
            _suggest(handle, key, dimension)
        return self.trials()[trial.number], handle

    def _enqueue(self, point: Point) -> None:
        """Have a point wait for its trial; what it leaves out is the sampler's to choose."""
        self.study.enqueue_trial({key: _place(self.space[key], value) for key, value in point.items()})

    def _trial(self, frozen: optuna.trial.FrozenTrial) -> Trial:
        state, kept = STATES[frozen.state.name], frozen.user_attrs
        return Trial(
            frozen.number,
            {key: _value(self.space[key], frozen.params[key]) for key in self.space if key in frozen.params},
            frozen.number >= self.plan.searched,
            state,
            frozen.value if state == "done" else None,
            kept.get("figures", {}),
            dict(frozen.intermediate_values),
            kept.get("seconds", 0.0),
            kept.get("error", ""),
        )


def _suggest(handle: optuna.Trial, key: str, dimension: Choices | Range) -> None:
    if isinstance(dimension, Choices):
        handle.suggest_categorical(key, range(len(dimension.values)))
    elif dimension.whole:
        handle.suggest_int(key, int(dimension.low), int(dimension.high), log=dimension.log)
    else:
        handle.suggest_float(key, dimension.low, dimension.high, log=dimension.log)


def _place(dimension: Choices | Range, value: Any) -> Any:
    """Return a value as Optuna has it: of choices the place, since these may be lists."""
    return dimension.values.index(value) if isinstance(dimension, Choices) else value


def _value(dimension: Choices | Range, place: Any) -> Any:
    return dimension.values[place] if isinstance(dimension, Choices) else dimension.legible(place)


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Wait until no other process is inside, and keep others out."""
    handle = os.open(file, os.O_CREAT | os.O_RDWR, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def _claimed(file: Path) -> Iterator[bool]:
    """Hold a file's lock inside; False where another process has it."""
    handle = os.open(file, os.O_CREAT | os.O_RDWR, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(handle)


class _JournalLock:
    """The lock of Optuna's journal. Optuna's own outlives a process that is killed, by half a minute."""

    def __init__(self, file: Path) -> None:
        self.file, self.handle = file, -1

    def acquire(self) -> bool:
        self.handle = os.open(self.file, os.O_CREAT | os.O_RDWR, 0o644)
        fcntl.flock(self.handle, fcntl.LOCK_EX)
        return True

    def release(self) -> None:
        os.close(self.handle)


def _mend(journal: Path) -> None:
    """Cut off half a line that a power failure has left, which Optuna would never read past."""
    content = journal.read_bytes() if journal.exists() else b""
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(journal, whole)


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise InputError("sweeps need Optuna", "pip install 'zoo-recipes[sweep]'") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
