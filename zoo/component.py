"""A component: a named thing that a plugin offers, loaded only when a recipe asks for it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

KINDS = ("model", "dataset", "loss", "optimizer", "schedule", "metric", "task")


@dataclass(frozen=True)
class Component:
    """A name for a callable, and where to find it.

    `reference` is `"module:attribute"`, a string so that listing imports nothing. `tasks` names the tasks that the
    component serves; empty means every task. `plugin` is filled in by the registry. `example` has the facts and
    parameters that the conformance kit builds it with.
    """

    kind: str
    name: str
    reference: str
    summary: str
    tasks: tuple[str, ...] = ()
    plugin: str = ""
    example: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.name}: kind `{self.kind}` is none of {', '.join(KINDS)}")
        module, colon, attribute = self.reference.partition(":")
        if not (module and colon and attribute):
            raise ValueError(f"{self.name}: reference `{self.reference}` is not written as `module:attribute`")

    @property
    def full_name(self) -> str:
        return f"{self.plugin}/{self.name}"

    def load(self) -> Callable[..., Any]:
        """Import the module and return the callable. Whatever the import raises is raised."""
        module, _, attribute = self.reference.partition(":")
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
        return found  # type: ignore[no-any-return]

    def of(self, plugin: str) -> Component:
        return replace(self, plugin=plugin)


def _component(
    kind: str,
    name: str,
    reference: str,
    *,
    task: str | Sequence[str] = (),
    summary: str = "",
    example: Mapping[str, Any] | None = None,
) -> Component:
    tasks = (task,) if isinstance(task, str) else tuple(task)
    return Component(kind, name, reference, summary, tasks, example=example or {})


model = partial(_component, "model")
dataset = partial(_component, "dataset")
loss = partial(_component, "loss")
optimizer = partial(_component, "optimizer")
schedule = partial(_component, "schedule")
metric = partial(_component, "metric")
task = partial(_component, "task")
