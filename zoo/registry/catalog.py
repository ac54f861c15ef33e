"""Look a component up by kind and name; unknown names get the nearest ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cached_property
from pathlib import Path
from typing import Protocol, TypeVar

from zoo.errors import InputError, nearest
from zoo.registry.component import KINDS, Component
from zoo.registry.plugins import BLOCKED, Plugin, Plugins, installed, plugin_shipping


class UnknownComponent(InputError):
    """No component of that name, or several; `suggestion` is the nearest valid name where there is one."""

    def __init__(self, message: str, help: str = "", suggestion: str | None = None, code: str = "") -> None:
        super().__init__(message, help)
        self.suggestion = suggestion
        self.code = code or "unknown-component"


class Catalog:
    """The components of a set of plugins, by kind and name."""

    def __init__(self, plugins: Plugins | None = None) -> None:
        self.plugins = plugins or installed()

    @cached_property
    def recipe_folders(self) -> list[tuple[Plugin, Path]]:
        return self.plugins.recipe_folders()

    @cached_property
    def components(self) -> list[Component]:
        return [component for plugin in self.plugins.plugins for component in plugin.components]

    def of_kind(self, kind: str | None = None) -> list[Component]:
        return [component for component in self.components if kind in (None, component.kind)]

    def get(self, kind: str, name: str, home: str = "") -> Component:
        """The component of that kind; `name` may be full (`vision/lenet`) or short (`lenet`).

        A short name means the component of the plugin `home`, else the first-party one, else the only one.

        Raises:
            UnknownComponent: no such name, or a short name that several plugins offer.
        """
        candidates = self.of_kind(kind)
        named = [component for component in candidates if name in (component.name, component.full_name)]
        components = meant_of(named, home, [plugin.name for plugin in self.plugins.plugins if plugin.first_party])
        if len(components) == 1:
            return components[0]
        if components:
            names = [component.full_name for component in components]
            raise UnknownComponent(
                f"{kind} `{name}` is offered by several plugins: {listed(names)}",
                "write the full name",
                names[0],
                "ambiguous-name",
            )
        raise self._unknown(kind, name, candidates)

    def plugin_shipping(self, file: Path) -> str:
        """The name of the plugin that ships a recipe, or nothing."""
        return plugin_shipping(file, self.recipe_folders)

    def find(self, name: str) -> list[Component]:
        """All components that `name` may mean: `ssd`, `model/ssd`, `detection/ssd` or `model/detection/ssd`."""
        kind, _, rest = name.partition("/")
        candidates = self.of_kind(kind) if kind in KINDS and rest else self.components
        wanted = rest if kind in KINDS and rest else name
        found = [component for component in candidates if wanted in (component.name, component.full_name)]
        if not found:
            raise self._unknown(kind if kind in KINDS and rest else "component", wanted, candidates)
        return found

    def _unknown(self, kind: str, name: str, candidates: Iterable[Component]) -> UnknownComponent:
        candidates = list(candidates)
        suggestion = nearest(name, [found.full_name if "/" in name else found.name for found in candidates])
        elsewhere = [found for found in self.components if found.name == name]
        plugin_name = name.partition("/")[0]
        broken = [plugin for plugin in self.plugins.plugins if plugin.error and plugin.name == plugin_name]
        if broken:
            return UnknownComponent(f"{kind} `{name}`: the plugin `{plugin_name}` failed: {broken[0].error}")
        if elsewhere and kind in KINDS:
            return UnknownComponent(f"unknown {kind} `{name}`; `{name}` is a {elsewhere[0].kind}", f"zoo list {kind}")
        return UnknownComponent(f"unknown {kind} `{name}`", self._help(kind, candidates, suggestion), suggestion)

    def _help(self, kind: str, candidates: list[Component], suggestion: str | None) -> str:
        hidden = [plugin for plugin in self.plugins.plugins if plugin.error]
        if hidden and not suggestion:
            causes = "; ".join(f"`{plugin.name}`: {plugin.error}" for plugin in hidden if plugin.error != BLOCKED)
            blocked = listed([plugin.name for plugin in hidden if plugin.error == BLOCKED])
            parts = [f"plugins that failed: {causes}"] if causes else []
            parts += [f"plugins that ZOO_PLUGINS blocks: {blocked}"] if blocked else []
            return "; ".join(parts)
        if len(candidates) <= 12 and candidates:
            return f"there are {listed([candidate.name for candidate in candidates])}"
        return f"zoo list {kind}" if kind in KINDS else "zoo list"


class Offered(Protocol):
    """A component, or a recipe."""

    @property
    def plugin(self) -> str: ...


T = TypeVar("T", bound=Offered)


def meant_of(named: list[T], home: str, first_party: Collection[str]) -> list[T]:
    """Return what a name means, of all that have it: those of plugin `home`, else the first-party ones, else all."""
    at_home = [offered for offered in named if offered.plugin == home]
    return at_home or [offered for offered in named if offered.plugin in first_party] or named


def listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
