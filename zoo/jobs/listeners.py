"""Who is told what happens in a run: the terminal, and the plugins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zoo.plugins import Plugins

Results = dict[str, Any]
Figures = dict[str, float]


class Listener:
    """Told what happens in a run; does nothing. Override what you want to hear.

    `step`, where it is not None, is called with every `zoo.fit.Step`.
    """

    step: Callable[[Any], None] | None = None

    def preparing(self, what: str) -> None: ...

    def started(self, run: dict[str, Any]) -> None: ...

    def logged(self, progress: Any, figures: Figures) -> None: ...

    def evaluated(self, progress: Any, epoch: int, figures: Figures) -> None: ...

    def finished(self, results: Results) -> None: ...

    def say(self, message: str) -> None: ...


class WithPlugins(Listener):
    """Passes every event on to a listener and to the plugins' hooks."""

    def __init__(self, listener: Listener, plugins: Plugins) -> None:
        self.listener, self.plugins = listener, plugins
        self.step = listener.step
        if plugins.has_listener("zoo_step_finished"):
            self.step = self._step

    def _step(self, step: Any) -> None:
        self.plugins.call("zoo_step_finished", step=step)
        if self.listener.step is not None:
            self.listener.step(step)

    def preparing(self, what: str) -> None:
        self.listener.preparing(what)

    def started(self, run: dict[str, Any]) -> None:
        self.plugins.call("zoo_run_started", run=run)
        self.listener.started(run)

    def logged(self, progress: Any, figures: Figures) -> None:
        self.listener.logged(progress, figures)

    def evaluated(self, progress: Any, epoch: int, figures: Figures) -> None:
        self.plugins.call("zoo_epoch_finished", event={"step": progress.step, "epoch": epoch, "figures": figures})
        self.listener.evaluated(progress, epoch, figures)

    def finished(self, results: Results) -> None:
        self.plugins.call("zoo_run_finished", results=results)
        self.listener.finished(results)

    def say(self, message: str) -> None:
        self.listener.say(message)
