"""Entry points -> plugins. A broken or blocked plugin is a row in a table, never a crash."""

from __future__ import annotations

import importlib.metadata
import inspect
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache, wraps
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from zoo.errors import nearest, plain
from zoo.registry import hooks
from zoo.registry.component import Component, require_name
from zoo.registry.foreign import cause, foreign_code

GROUP = "zoo"
DISTRIBUTION = "zoo-recipes"  # which the core comes in; its plugins are the first-party ones
BLOCKED = "blocked by ZOO_PLUGINS"


@dataclass
class Plugin:
    """All that is known of one entry point. `error` is empty where it works; `hooks` are its functions by name."""

    name: str
    module: str
    distribution: str = ""
    version: str = ""
    components: list[Component] = field(default_factory=list)
    error: str = ""
    hooks: dict[str, Callable[..., Any]] = field(default_factory=dict, repr=False)

    @property
    def first_party(self) -> bool:
        return self.distribution == DISTRIBUTION


@dataclass(frozen=True)
class Failure:
    """An error that a hook raised."""

    plugin: str
    hook: str
    error: str


class Plugins:
    """The plugins of this environment, loaded one by one so that a broken one costs only itself.

    Attributes:
        failures: the first failure of every plugin whose hooks have raised, by the plugin's name.
    """

    def __init__(self) -> None:
        self.manager = pluggy.PluginManager(GROUP)
        self.manager.add_hookspecs(hooks)
        self.plugins: list[Plugin] = []
        self.failures: dict[str, Failure] = {}

    def load_entry_points(self) -> None:
        allowed = _allowed_names()
        entry_points, self.plugins = _entry_points()
        for entry_point in sorted(entry_points, key=lambda point: point.name):
            plugin = Plugin(entry_point.name, entry_point.value)
            twins = [other for other in self.plugins if other.name == plugin.name and not other.error]
            self.plugins.append(plugin)
            if twins:
                plugin.error = f"another plugin is named `{plugin.name}` too; this one is left out"
            elif allowed is not None and plugin.name not in allowed:
                plugin.error = BLOCKED
            else:
                try:
                    with foreign_code():
                        if entry_point.dist is not None:
                            plugin.distribution, plugin.version = entry_point.dist.name, entry_point.dist.version
                        self._register(entry_point.load(), plugin)
                except Exception as error:
                    plugin.error = cause(error)

    def register(self, module: ModuleType | object, name: str) -> Plugin:
        """Add a plugin that is no installed distribution (a test's, a notebook's). Its errors are raised."""
        plugin = Plugin(name, getattr(module, "__name__", type(module).__name__))
        self._register(module, plugin)
        self.plugins.append(plugin)
        return plugin

    def unregister(self, name: str) -> None:
        self.manager.unregister(name=name)
        self.plugins = [plugin for plugin in self.plugins if plugin.name != name]

    def _register(self, module: Any, plugin: Plugin) -> None:
        require_name(plugin.name, "a plugin")
        functions = _hook_functions(module)
        guarded = {hook: self._guarded(plugin.name, hook, function) for hook, function in functions.items()}
        try:
            self.manager.register(_Hooks(guarded), plugin.name)
            offered = functions["zoo_components"]() if "zoo_components" in functions else []
            components = [_checked(component, plugin.name) for component in offered]
            _refuse_twins(components)
        except BaseException:
            if self.manager.has_plugin(plugin.name):
                self.manager.unregister(name=plugin.name)
            raise
        plugin.components, plugin.hooks = components, functions

    def recipe_folders(self) -> list[tuple[Plugin, Path]]:
        """The plugins that ship recipes, each with the folder of these."""
        folders = []
        for plugin in self.plugins:
            if "zoo_recipes" in plugin.hooks:
                with self.contained(plugin.name, "zoo_recipes"):
                    folders.append((plugin, Path(plugin.hooks["zoo_recipes"]())))
        return folders

    def tables(self) -> dict[str, Callable[..., Any]]:
        """What plugins add to recipes, by the name of the table; the first plugin's where two have one name."""
        tables: dict[str, Callable[..., Any]] = {}
        for plugin in self.plugins:
            if "zoo_tables" in plugin.hooks:
                with self.contained(plugin.name, "zoo_tables"):
                    tables = {**plugin.hooks["zoo_tables"](), **tables}
        return tables

    def has_listener(self, event: str) -> bool:
        return bool(getattr(self.manager.hook, event).get_hookimpls())

    def tell(self, event: str, **arguments: Any) -> None:
        """Have pluggy call all that listen to an event, in its order, wrappers included."""
        getattr(self.manager.hook, event)(**arguments)

    @contextmanager
    def contained(self, plugin: str, hook: str) -> Iterator[None]:
        """Run a plugin's code inside: what it raises ends here. Its first failure is kept, and said on stderr."""
        try:
            with foreign_code():
                yield
        except Exception as error:
            if plugin not in self.failures:
                self.failures[plugin] = Failure(plugin, hook, cause(error))
                print(plain(f"warning: plugin `{plugin}` ({hook}): {cause(error)}"), file=sys.stderr, flush=True)

    def _guarded(self, plugin: str, hook: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function as pluggy gets it: pluggy's call would end with the first one that raises."""

        @wraps(function)
        def plain(*arguments: Any) -> Any:
            with self.contained(plugin, hook):
                return function(*arguments)

        @wraps(function)
        def wrapper(*arguments: Any) -> Any:
            generator, waits = function(*arguments), False
            with self.contained(plugin, hook):
                next(generator)
                waits = True
            answer = yield
            if waits:
                with self.contained(plugin, hook):
                    try:
                        generator.send(answer)
                    except StopIteration as end:
                        return end.value
                    raise RuntimeError("the wrapper yields more than once")
            return answer

        options = function.zoo_impl  # type: ignore[attr-defined]
        is_wrapper = options["wrapper"] or options["hookwrapper"]
        return wrapper if is_wrapper and inspect.isgeneratorfunction(function) else plain


@contextmanager
def listening(listener: object, name: str = "listener") -> Iterator[None]:
    """Have an object's hooks called inside, as those of a plugin are; methods are marked with `zoo.hookimpl`."""
    plugins = installed()
    plugins.register(listener, name)
    try:
        yield
    finally:
        plugins.unregister(name)


@cache
def installed() -> Plugins:
    """The plugins of this environment, looked up once a process."""
    plugins = Plugins()
    plugins.load_entry_points()
    return plugins


class _Hooks:
    """The hooks of one plugin; unlike a namespace never equal to another's, which pluggy would take for the same."""

    def __init__(self, functions: dict[str, Callable[..., Any]]) -> None:
        vars(self).update(functions)


def plugin_shipping(file: Path, plugin_folders: Iterable[tuple[Plugin, Path]]) -> str:
    """The name of the plugin whose folder of recipes a file lies in, or nothing."""
    place = file.resolve()
    return next((plugin.name for plugin, folder in plugin_folders if place.is_relative_to(folder.resolve())), "")


def _entry_points() -> tuple[list[EntryPoint], list[Plugin]]:
    """All entry points, and a broken plugin for each distribution whose list of them cannot be read."""
    with suppress(Exception):  # one malformed list, be it another tool's, hides those of all distributions
        return list(importlib.metadata.entry_points(group=GROUP)), []
    points: dict[str, list[EntryPoint]] = {}
    broken = []
    for distribution in importlib.metadata.distributions():
        try:
            points.setdefault(distribution.name, list(distribution.entry_points.select(group=GROUP)))
        except Exception as error:
            with suppress(Exception):
                if f"[{GROUP}]" in (distribution.read_text("entry_points.txt") or ""):
                    why = f"its entry_points.txt cannot be read: {cause(error)}"
                    broken.append(Plugin(distribution.name, "", distribution.name, distribution.version, error=why))
    return [point for several in points.values() for point in several], broken


def _allowed_names() -> set[str] | None:
    named = os.environ.get("ZOO_PLUGINS")
    return None if named is None else {name.strip() for name in named.split(",") if name.strip()}


def _hook_functions(module: Any) -> dict[str, Callable[..., Any]]:
    """The functions that a plugin marks as hooks, by name.

    Raises:
        AttributeError: there is no such hook.
    """
    known = [name for name, value in vars(hooks).items() if hasattr(value, "zoo_spec")]
    functions = {}
    for name in dir(module):
        # A lazy module would import on getattr, and a mock has every attribute.
        if hasattr(inspect.getattr_static(module, name, None), "zoo_impl") and inspect.isroutine(getattr(module, name)):
            if name not in known:
                meant = nearest(name, known)
                raise AttributeError(f"there is no hook `{name}`" + (f"; did you mean `{meant}`?" if meant else ""))
            functions[name] = getattr(module, name)
    return functions


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
