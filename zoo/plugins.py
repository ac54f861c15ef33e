"""Entry points -> plugins. A broken or blocked plugin is a row in a table, never a crash."""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from zoo import hooks
from zoo.component import Component
from zoo.errors import nearest

GROUP = "zoo"
BLOCKED = "blocked by ZOO_PLUGINS"


@dataclass
class Plugin:
    """What is known of one entry point. `error` is empty where the plugin works."""

    name: str
    module: str
    distribution: str = ""
    version: str = ""
    components: list[Component] = field(default_factory=list)
    error: str = ""


class Plugins:
    """The plugins of this environment, loaded one by one so that a broken one costs only itself."""

    def __init__(self) -> None:
        self.manager = pluggy.PluginManager(GROUP)
        self.manager.add_hookspecs(hooks)
        self.plugins: list[Plugin] = []

    def load_entry_points(self) -> None:
        allowed = _allowed_names()
        for entry_point in sorted(importlib.metadata.entry_points(group=GROUP), key=lambda found: found.name):
            plugin = Plugin(entry_point.name, entry_point.value)
            if entry_point.dist is not None:
                plugin.distribution = entry_point.dist.name
                plugin.version = entry_point.dist.version
            self.plugins.append(plugin)
            if any(other.name == plugin.name and not other.error for other in self.plugins[:-1]):
                plugin.error = f"another plugin is named `{plugin.name}` too; this one is left out"
            elif allowed is not None and entry_point.name not in allowed:
                plugin.error = BLOCKED
            else:
                try:
                    self._register(entry_point.load(), plugin)
                except (Exception, SystemExit) as error:
                    plugin.error = _cause(error)

    def register(self, module: ModuleType | object, name: str) -> Plugin:
        """Add a plugin that is no installed distribution (a test's, a notebook's). Its errors are raised."""
        plugin = Plugin(name, getattr(module, "__name__", type(module).__name__))
        self._register(module, plugin)
        self.plugins.append(plugin)
        return plugin

    def _register(self, module: Any, plugin: Plugin) -> None:
        _refuse_misspelt_hooks(module)
        try:
            self.manager.register(module, plugin.name)
            offered = module.zoo_components() if hasattr(module, "zoo_components") else []
            plugin.components = [_checked(component, plugin.name) for component in offered]
            _refuse_twins(plugin.components)
        except Exception:
            if self.manager.is_registered(module):
                self.manager.unregister(module)
            plugin.components = []
            raise

    def recipe_folders(self) -> Iterator[Path]:
        for folder in self.call("zoo_recipes"):
            yield Path(folder)

    def has_listener(self, hook: str) -> bool:
        return bool(getattr(self.manager.hook, hook).get_hookimpls())

    def call(self, hook: str, **arguments: Any) -> list[Any]:
        """Ask each implementation by itself: one that raises is reported, and the others still answer."""
        answers = []
        for implementation in getattr(self.manager.hook, hook).get_hookimpls():
            given = {name: arguments[name] for name in implementation.argnames}
            try:
                answers.append(implementation.function(**given))
            except Exception as error:
                self._report(implementation.plugin_name, f"{hook}: {_cause(error)}")
        return answers

    def _report(self, name: str, error: str) -> None:
        for plugin in self.plugins:
            if plugin.name == name:
                plugin.error = plugin.error or error


@cache
def installed() -> Plugins:
    """The plugins of this environment, looked up once a process."""
    plugins = Plugins()
    plugins.load_entry_points()
    return plugins


def _allowed_names() -> set[str] | None:
    named = os.environ.get("ZOO_PLUGINS")
    return None if named is None else {name.strip() for name in named.split(",") if name.strip()}


def _refuse_misspelt_hooks(module: Any) -> None:
    known = [name for name, value in vars(hooks).items() if hasattr(value, "zoo_spec")]
    for name, value in vars(module).items() if hasattr(module, "__dict__") else ():
        if hasattr(value, "zoo_impl") and name not in known:
            meant = nearest(name, known)
            raise AttributeError(f"there is no hook `{name}`" + (f"; did you mean `{meant}`?" if meant else ""))


def _checked(component: Any, plugin: str) -> Component:
    if not isinstance(component, Component):
        raise TypeError(f"zoo_components returned {component!r}; make components with zoo.model(...), zoo.dataset(...)")
    return component.of(plugin)


def _refuse_twins(components: list[Component]) -> None:
    seen: set[tuple[str, str]] = set()
    for component in components:
        key = (component.kind, component.name)
        if key in seen:
            raise ValueError(f"two components are named {component.kind}/{component.name}")
        seen.add(key)


def _cause(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
