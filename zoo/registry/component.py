"""A component: a named thing that a plugin offers, loaded only when a recipe asks for it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from zoo.errors import PluginFailed
from zoo.registry.foreign import cause, foreign_code

KINDS = ("model", "dataset", "loss", "optimizer", "schedule", "metric", "task")


@dataclass(frozen=True)
class Component:
    """A name for a callable, and where to find it.

    `reference` is `"module:attribute"`, a string so that listing imports nothing. `tasks` names the tasks that the
    component serves; empty means every task. A task is `like` others when it takes the components made for them.
    `example` has the facts and parameters that the conformance kit builds it with. `splits` are all that a dataset may
    have, where it says so. `plugin` is filled in by the registry.
    """

    kind: str
    name: str
    reference: str
    summary: str
    tasks: tuple[str, ...] = ()
    example: Mapping[str, Any] = field(default_factory=dict, hash=False)
    splits: tuple[str, ...] = ()
    like: tuple[str, ...] = ()
    plugin: str = ""

    def __post_init__(self) -> None:
        require_name(self.name, "a component")
        if self.kind not in KINDS:
            raise ValueError(f"{self.name}: kind `{self.kind}` is none of {', '.join(KINDS)}")
        if not all(isinstance(text, str) for text in (self.reference, self.summary, *self.tasks, *self.like)):
            raise TypeError(f"{self.name}: reference, summary, tasks and `like` should be strings")
        module, colon, attribute = self.reference.partition(":")
        if not (module and colon and attribute):
            raise ValueError(f"{self.name}: reference `{self.reference}` is not written as `module:attribute`")

    @property
    def full_name(self) -> str:
        return f"{self.plugin}/{self.name}"

    def load(self) -> Callable[..., Any]:
        """Import the module and return the callable.

        Raises:
            PluginFailed: the import raised, or what the reference names is not there or cannot be called.
        """
        module, _, attribute = self.reference.partition(":")
        try:
            with foreign_code():
                target: Any = importlib.import_module(module)
                for part in attribute.split("."):
                    target = getattr(target, part)
        except Exception as error:
            message = f"{self.kind} `{self.full_name}` cannot be loaded: {cause(error)}"
            raise PluginFailed(message, "zoo plugins") from error
        if not callable(target):
            message = f"{self.kind} `{self.full_name}` cannot be loaded: {self.reference} is a {type(target).__name__}"
            raise PluginFailed(f"{message}, which nothing can call", "zoo plugins")
        return target  # type: ignore[no-any-return]

    def of(self, plugin: str) -> Component:
        return replace(self, plugin=plugin)


def require_name(name: Any, what: str) -> None:
    """A component or a plugin may be called so: recipes, commands and full names (`vision/lenet`) can write it.

    Raises:
        TypeError: the name is no string.
        ValueError: it is empty, or has a slash, a blank or a sign that cannot be printed.
    """
    if not isinstance(name, str):
        raise TypeError(f"the name of {what} is {name!r}; it should be a string")
    if not name or "/" in name or " " in name or not name.isprintable():
        raise ValueError(f"the name of {what} is {name!r}; it should be one printable word without `/`")


def _component(
    kind: str,
    name: str,
    reference: str,
    *,
    task: str | Sequence[str] = (),
    summary: str = "",
    example: Mapping[str, Any] | None = None,
    splits: Sequence[str] = (),
    like: str | Sequence[str] = (),
) -> Component:
    """Declare a component, for `zoo_components` to return.

    Args:
        name: what recipes call it; unique within its kind and plugin.
        reference: where its callable is: `"my_plugin.lenet:LeNet"`.
        task: the task or tasks that it serves; none means every task.
        summary: one line for `zoo list`.
        example: facts and parameters that the conformance kit builds it with.
        splits: all that a dataset may have, where it says so.
        like: of a task, the tasks whose components it takes, too.
    """
    tasks, like = ((names,) if isinstance(names, str) else tuple(names) for names in (task, like))
    if like and kind != "task":
        raise TypeError(f"{name}: `like` is for tasks, and this is a {kind}")
    return Component(kind, name, reference, summary, tasks, example or {}, tuple(splits), like)


model = partial(_component, "model")
dataset = partial(_component, "dataset")
loss = partial(_component, "loss")
optimizer = partial(_component, "optimizer")
schedule = partial(_component, "schedule")
metric = partial(_component, "metric")
task = partial(_component, "task")
