"""Look a component up by kind and name; unknown names get the nearest ones."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from zoo.component import KINDS, Component
from zoo.errors import InputError, nearest
from zoo.plugins import BLOCKED, Plugins, installed


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
    def components(self) -> list[Component]:
        return [component for plugin in self.plugins.plugins for component in plugin.components]

    def of_kind(self, kind: str | None = None) -> list[Component]:
        return [component for component in self.components if kind in (None, component.kind)]

    def get(self, kind: str, name: str) -> Component:
        """The component of that kind; `name` may be short (`lenet`) or full (`vision/lenet`).

        Raises:
            UnknownComponent: no such name, or a short name that several plugins offer.
        """
        candidates = self.of_kind(kind)
        found = [component for component in candidates if name in (component.name, component.full_name)]
        if len(found) == 1:
            return found[0]
        if found:
            names = [component.full_name for component in found]
            raise UnknownComponent(
                f"{kind} `{name}` is offered by several plugins: {_listed(names)}",
                "write the full name",
                names[0],
                "ambiguous-name",
            )
        raise self._unknown(kind, name, candidates)

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
            blocked = _listed([plugin.name for plugin in hidden if plugin.error == BLOCKED])
            parts = [f"plugins that failed: {causes}"] if causes else []
            parts += [f"plugins that ZOO_PLUGINS blocks: {blocked}"] if blocked else []
            return "; ".join(parts)
        if len(candidates) <= 12 and candidates:
            return f"there are {_listed([candidate.name for candidate in candidates])}"
        return f"zoo list {kind}" if kind in KINDS else "zoo list"


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
