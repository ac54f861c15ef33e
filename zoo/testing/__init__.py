"""The conformance kit, a pytest plugin: `pytest --zoo-plugin NAME` holds every component of a plugin to the contracts.

pytest imports this module in every run, so what takes time is imported where it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from zoo.component import Component
from zoo.errors import ZooError, nearest


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
    """One contract, held against one component. Calling it passes, fails or skips as a test does."""

    component: Component
    holds: Callable[[Component], None]

    def __call__(self) -> None:
        self.holds(self.component)

    def __str__(self) -> str:
        return f"{self.component.kind}/{self.component.name}::{self.holds.__name__}"


def checks_of(plugin: str) -> list[Check]:
    """The checks of every component of an installed plugin.

    Raises:
        pytest.UsageError: there is no such plugin, or it does not work.
    """
    from zoo.plugins import installed
    from zoo.testing.contracts import contracts_of

    known = {found.name: found for found in installed().plugins}
    if plugin not in known:
        meant = nearest(plugin, known)
        raise pytest.UsageError(f"no zoo plugin `{plugin}`" + (f"; did you mean `{meant}`?" if meant else ""))
    if known[plugin].error:
        raise pytest.UsageError(f"zoo plugin `{plugin}`: {known[plugin].error}")
    return [Check(component, holds) for component in known[plugin].components for holds in contracts_of(component)]
