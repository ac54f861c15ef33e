"""The conformance kit: first-party components pass it, and each of its contracts catches what breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.zoo.bad_parts import ALONE, BAD, GOOD, Plugin
from zoo import Component, InputError, hookimpl, model
from zoo.registry.plugins import installed
from zoo.testing import Check, checks_of
from zoo.testing.contracts import contracts_of

FIRST_PARTY = ("basics", "detection", "lab", "seq", "vision")


@pytest.mark.parametrize("check", [check for name in FIRST_PARTY for check in checks_of(name)], ids=str)
def test_first_party_components_keep_the_contracts(check: Check) -> None:
    check()


@pytest.fixture(scope="module", autouse=True)
def bad_plugin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The plugin `bad`, whose every bad component breaks one contract; and the folder of its recipes."""
    folder = tmp_path_factory.mktemp("recipes")
    plugin, plugins = Plugin(folder), installed()
    plugins.register(plugin, "bad")
    yield folder
    plugins.unregister("bad")


@pytest.mark.parametrize("component, contract, message", BAD, ids=lambda value: getattr(value, "name", None))
def test_each_contract_catches_what_breaks_it(component: Component, contract: str, message: str) -> None:
    component = component.of("bad")
    (holds,) = [holds for holds in contracts_of(component) if holds.__name__ == contract]
    with pytest.raises((pytest.fail.Exception, InputError), match=message):
        holds(component)


@pytest.mark.parametrize("component", GOOD, ids=lambda component: component.name)
def test_what_keeps_the_contracts_passes(component: Component) -> None:
    """The bad ones differ from these in one thing each: the kit does not fail whatever it is given."""
    for holds in contracts_of(component.of("bad")):
        holds(component.of("bad"))


def tracker(name: str, function: Callable[..., Any]) -> Any:
    """A plugin that offers nothing but a hook."""
    return SimpleNamespace(**{name: hookimpl(function)}, __name__="tracker")


@pytest.mark.parametrize(
    "hook, function, message",
    [
        ("zoo_run_started", lambda run: run["folder"], "`zoo_run_started` raises TypeError"),
        ("zoo_step_finished", lambda step: step.losses, "`zoo_step_finished` raises AttributeError"),
        ("zoo_evaluated", lambda figures: figures["val/accuracy"], "`zoo_evaluated` raises KeyError"),
        (
            "zoo_run_ended",
            lambda results: results["figures"],
            "with `status` 'failed' raises TypeError",
        ),
        ("zoo_commands", lambda app: app.add(1), "`zoo_commands` raises AttributeError"),
    ],
)
def test_hooks_are_called_with_what_a_run_gives(hook: str, function: Callable[..., Any], message: str) -> None:
    with registered(tracker(hook, function)), pytest.raises(pytest.fail.Exception, match=message):
        checks_of("tracker")[0]()


def test_a_plugin_that_offers_nothing_but_hooks_passes() -> None:
    heard = []
    with registered(tracker("zoo_run_ended", lambda run, status, results: heard.append((status, results is None)))):
        (check,) = checks_of("tracker")
        check()
    assert str(check) == "plugin/tracker::listens"
    assert heard == [("done", False), ("failed", True), ("stopped", True)]


@contextmanager
def registered(module: Any) -> Iterator[None]:
    installed().register(module, "tracker")
    yield
    installed().unregister("tracker")


def test_every_contract_is_broken_by_some_part() -> None:
    known = {holds.__name__ for part in GOOD + [part for part, _, _ in BAD] for holds in contracts_of(part)}
    assert known == {contract for _, contract, _ in BAD}


def test_a_librarys_hidden_parameters_are_reported() -> None:
    """A plugin cannot change them, but its author should know that no recipe reaches them."""
    component = model("adam", "torchvision.models:resnet18", summary="takes **kwargs").of("bad")
    holds = contracts_of(component)[1]
    with pytest.warns(UserWarning, match=r"kwargs: Any` is out of every recipe's reach"):
        holds(component)


def test_a_model_that_no_recipe_trains_is_a_part_of_models() -> None:
    """It is built and not trained, and its author is told how it is called too."""
    is_built, trains = contracts_of(ALONE)[2:4]
    is_built(ALONE.of("bad"))
    with pytest.raises(pytest.skip.Exception, match=r'as a part of models: example = \{"input": \[2, 3, 64, 64\]\}'):
        trains(ALONE.of("bad"))


@pytest.mark.parametrize("name, said", [("tinny", "did you mean `tiny`?"), ("zzz", "no zoo plugin `zzz`")])
def test_an_unknown_plugin_is_a_usage_error(name: str, said: str) -> None:
    with pytest.raises(pytest.UsageError, match=said.replace("?", r"\?")):
        checks_of(name)
