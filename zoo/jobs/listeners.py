"""Who is told what happens in a run: the terminal, and the plugins."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from zoo.errors import Stopped
from zoo.registry.plugins import Failure, Plugins
from zoo.runs.folder import ENVIRONMENT, Folder

Results = dict[str, Any]
Figures = dict[str, float]
Status = Literal["done", "stopped", "failed"]


@dataclass
class RunInfo:
    """A run, as those see it who listen to it.

    Attributes:
        folder: the run folder.
        recipe: the spelled-out recipe.
        environment: what environment.json holds.
        resumed: whether it goes on from a checkpoint.
        step: steps done so far, of `steps`; both are 0 where nothing is trained.
    """

    folder: Path
    recipe: dict[str, Any]
    environment: dict[str, Any]
    resumed: bool = False
    step: int = 0
    steps: int = 0
    steps_per_epoch: int = 1

    @property
    def epoch(self) -> int:
        """The epoch that the last step belongs to, from 1; 0 before the first step."""
        return -(-self.step // self.steps_per_epoch)


class Listener:
    """Told what happens in a run; does nothing. Override what you want to hear.

    `step`, where it is not None, is called with every `zoo.training.loop.Step`.
    """

    step: Callable[[Any], None] | None = None

    def preparing(self, what: str) -> None: ...

    def started(self, run: RunInfo) -> None: ...

    def logged(self, progress: Any, figures: Figures) -> None: ...

    def evaluated(self, progress: Any, epoch: int, figures: Figures) -> None: ...

    def ended(self, run: RunInfo, status: Status, results: Results | None) -> None: ...

    def say(self, message: str) -> None: ...


class WithPlugins(Listener):
    """Passes every event on to a listener and to the plugins' hooks."""

    def __init__(self, listener: Listener, plugins: Plugins) -> None:
        self.listener, self.plugins = listener, plugins
        self.step = listener.step
        if plugins.has_listener("zoo_step_finished"):
            self.step = self._step

    def _step(self, step: Any) -> None:
        self.run.step = step.number
        self.plugins.tell("zoo_step_finished", run=self.run, step=step)
        if self.listener.step is not None:
            self.listener.step(step)

    def preparing(self, what: str) -> None:
        self.listener.preparing(what)

    def started(self, run: RunInfo) -> None:
        self.run = run
        self.plugins.failures.clear()
        self.plugins.tell("zoo_run_started", run=run)
        self.listener.started(run)

    def logged(self, progress: Any, figures: Figures) -> None:
        self.run.step = progress.step
        self.plugins.tell("zoo_logged", run=self.run, figures=dict(figures))
        self.listener.logged(progress, figures)

    def evaluated(self, progress: Any, epoch: int, figures: Figures) -> None:
        self.run.step = progress.step
        self.plugins.tell("zoo_evaluated", run=self.run, figures=dict(figures))
        self.listener.evaluated(progress, epoch, figures)

    def ended(self, run: RunInfo, status: Status, results: Results | None) -> None:
        self.plugins.tell("zoo_run_ended", run=run, status=status, results=results)
        keep_failures(Folder(run.folder), self.plugins.failures.values())
        self.listener.ended(run, status, results)

    def say(self, message: str) -> None:
        self.listener.say(message)


def told(listener: Listener, run: RunInfo, work: Callable[[], Results]) -> Results:
    """Do the work of a run, and tell the listener that it begins and how it ends."""
    try:
        listener.started(run)
        results = work()
    except BaseException as error:
        listener.ended(run, "stopped" if isinstance(error, Stopped) else "failed", None)
        raise
    listener.ended(run, "done", results)
    return results


def keep_failures(folder: Folder, failures: Iterable[Failure]) -> None:
    """Add what listeners have raised to `failures` of environment.json."""
    new = [asdict(failure) for failure in failures]
    if new:
        environment = folder.read_json(ENVIRONMENT)
        environment["failures"] = [*environment.get("failures", []), *new]
        folder.commit({ENVIRONMENT: [json.dumps(environment, indent=2).encode()]})
