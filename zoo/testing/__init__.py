"""The conformance kit, a pytest plugin: `pytest --zoo-plugin NAME` holds every component of a plugin to the contracts.

pytest imports this module in every run, so what takes time is imported where it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from zoo.errors import ZooError, nearest
from zoo.registry.component import Component

if TYPE_CHECKING:
    from zoo.registry.plugins import Plugin


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--zoo-plugin", metavar="NAME", help="check every component of this zoo plugin")


@pytest.hookimpl(tryfirst=True)  # before -k and -m choose
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    name = config.getoption("zoo_plugin")
    if name:
        items += [_Item.from_parent(session, plugin=name, check=check) for check in checks_of(name)]


class _Item(pytest.Item):
    def __init__(self, plugin: str, check: Check, **keywords: Any) -> None:
        super().__init__(name=str(check), nodeid=f"zoo plugin {plugin}::{check}", **keywords)
        self.check = check

    def runtest(self) -> None:
        self.check()

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        return str(excinfo.value) if isinstance(excinfo.value, ZooError) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[str, None, str]:
        return "", None, self.name


@dataclass(frozen=True)
class Check:
    """One contract, held against a component or a whole plugin. Calling it passes, fails or skips as a test does."""

    subject: Component | Plugin
    holds: Callable[[Any], None]

    def __call__(self) -> None:
        self.holds(self.subject)

    def __str__(self) -> str:
        kind = f"{self.subject.kind}/" if isinstance(self.subject, Component) else "plugin/"
        return f"{kind}{self.subject.name}::{self.holds.__name__}"


def checks_of(name: str) -> list[Check]:
    """The checks of an installed plugin: of its hooks, and of every component that it offers, be there any or not.

    Raises:
        pytest.UsageError: there is no such plugin, or it does not work.
    """
    from zoo.registry.plugins import installed
    from zoo.testing.contracts import contracts_of
    from zoo.testing.hook_contracts import listens

    known = {plugin.name: plugin for plugin in installed().plugins}
    if name not in known:
        meant = nearest(name, known)
        raise pytest.UsageError(f"no zoo plugin `{name}`" + (f"; did you mean `{meant}`?" if meant else ""))
    plugin = known[name]
    if plugin.error:
        raise pytest.UsageError(f"zoo plugin `{name}`: {plugin.error}")
    of_components = [Check(part, holds) for part in plugin.components for holds in contracts_of(part)]
    return [Check(plugin, listens), *of_components]
