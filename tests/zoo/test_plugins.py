"""Plugins that do not behave: each costs only itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import Command
from tests.distributions import make_distribution
from tests.zoo.conftest import Install
from zoo import hookimpl, model
from zoo.catalog import Catalog, UnknownComponent
from zoo.jobs.recipe import run
from zoo.plugins import BLOCKED, Plugins, installed

HEAD = "from zoo import hookimpl, model, loss\n@hookimpl\n"
ONE_MODEL = HEAD + "def zoo_components():\n    return [model('{name}', 'torch.nn:Linear')]\n"

BROKEN = {
    "import error": ("import no_such_module_of_mine\n", "ModuleNotFoundError"),
    "error on import": ("1 / 0\n", "ZeroDivisionError"),
    "exit on import": ("raise SystemExit(7)\n", "SystemExit: 7"),
    "syntax error": ("def zoo_components(:\n", "SyntaxError"),
    "hook raises": (HEAD + "def zoo_components():\n    raise ValueError('no luck')\n", "ValueError: no luck"),
    "misspelt hook": (HEAD + "def zoo_component():\n    return []\n", "did you mean `zoo_components`"),
    "misspelt argument": (HEAD + "def zoo_run_started(rnu):\n    pass\n", "PluginValidationError"),
    "no component": (HEAD + "def zoo_components():\n    return ['lenet']\n", "TypeError"),
    "two of one name": (HEAD + "def zoo_components():\n    return 2 * [model('a', 'm:a')]\n", "named model/a"),
    "bad reference": (HEAD + "def zoo_components():\n    return [model('a', 'm.a')]\n", "module:attribute"),
}  # fmt: skip


def error_of(name: str, plugins: Plugins) -> str:
    return next(plugin.error for plugin in plugins.plugins if plugin.name == name)


@pytest.mark.parametrize("text, cause", BROKEN.values(), ids=BROKEN)
def test_a_broken_plugin_costs_only_itself(text: str, cause: str, install: Install, zoo: Command) -> None:
    """The others stay; `list` warns on stderr and not on stdout; `plugins` shows the cause; status 0."""
    install(bad=text, good=ONE_MODEL.format(name="fine"))

    listed = zoo("list", "model", "--json")
    assert listed.status == 0
    assert {"fine", "tiny_mlp"} <= {row["name"] for row in json.loads(listed.stdout)}
    assert "plugin `bad` is left out" in listed.stderr
    rows = {row["name"]: row for row in json.loads(zoo("plugins", "--json").stdout)}
    assert cause in rows["bad"]["error"]
    assert (rows["bad"]["components"], rows["good"]["error"], rows["tiny"]["error"]) == (0, None, None)


def test_a_recipe_that_needs_a_broken_plugin_is_told_the_cause(install: Install) -> None:
    install(bad="1 / 0\n")
    with pytest.raises(UnknownComponent, match="the plugin `bad` failed: ZeroDivisionError"):
        Catalog().get("model", "bad/lenet")
    with pytest.raises(UnknownComponent) as unknown:
        Catalog().get("model", "something_quite_different")
    assert "plugins that failed: `bad`: ZeroDivisionError" in unknown.value.help


def test_hooks_of_a_broken_plugin_are_not_called(install: Install) -> None:
    """pluggy registers hook by hook: those before the faulty one must go again."""
    text = "from zoo import hookimpl\n@hookimpl\ndef zoo_commands(app):\n    raise SystemExit\n"
    plugins = install(bad=text + "@hookimpl\ndef zoo_run_started(rnu):\n    pass\n")
    assert "PluginValidationError" in error_of("bad", plugins)
    assert not plugins.has_listener("zoo_commands")


def test_two_plugins_with_one_component_name(install: Install) -> None:
    """The short name is an error that lists both; the full name says which."""
    install(one=ONE_MODEL.format(name="same"), two=ONE_MODEL.format(name="same"))
    catalog = Catalog()
    with pytest.raises(UnknownComponent, match="several plugins: `one/same`, `two/same`") as ambiguous:
        catalog.get("model", "same")
    assert ambiguous.value.code == "ambiguous-name"
    assert [catalog.get("model", name).plugin for name in ("one/same", "two/same")] == ["one", "two"]


def test_two_distributions_with_one_entry_point_name(tmp_path: Path, install: Install) -> None:
    make_distribution(tmp_path, "another", {"same": "fake_another"}, {"fake_another": ONE_MODEL.format(name="b")})
    plugins = install(same=ONE_MODEL.format(name="a"))
    rows = [plugin for plugin in plugins.plugins if plugin.name == "same"]
    assert sorted(bool(row.error) for row in rows) == [False, True]
    assert sum(len(row.components) for row in rows) == 1
    assert any("another plugin is named `same` too" in row.error for row in rows)
    sys.modules.pop("fake_another", None)


@pytest.mark.parametrize("allowed, blocked", [("", {"writer", "tiny", "basics"}), ("tiny, basics", {"writer"})])
def test_a_blocked_plugin_is_never_imported(
    allowed: str, blocked: set[str], tmp_path: Path, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would write a file on import; that it does so where it is allowed shows that the test can fail."""
    mark = tmp_path / "imported"
    writer = f"open({str(mark)!r}, 'w').close()\n"
    monkeypatch.setenv("ZOO_PLUGINS", allowed)
    plugins = install(writer=writer)
    assert not mark.exists()
    assert all(error_of(name, plugins) == BLOCKED for name in blocked)
    with pytest.raises(UnknownComponent) as unknown:
        Catalog().get("model", "something_quite_different")
    assert "ZOO_PLUGINS blocks" in unknown.value.help
    monkeypatch.delenv("ZOO_PLUGINS")
    installed.cache_clear()
    assert error_of("writer", installed()) == ""
    assert mark.exists()


def test_a_plugin_adds_a_subcommand(tmp_path: Path) -> None:
    """In a process of its own: the app is one object for the whole process."""
    text = "from zoo import hookimpl\n@hookimpl\ndef zoo_commands(app):\n    @app.command()\n"
    text += "    def greet(name: str):\n        print('hello', name)\n"
    bad = "from zoo import hookimpl\n@hookimpl\ndef zoo_commands(app):\n    1 / 0\n"
    make_distribution(tmp_path, "greeter", {"greeter": "greeter"}, {"greeter": text})
    make_distribution(tmp_path, "rude", {"a_rude": "rude"}, {"rude": bad})
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ['PYTHONPATH']}"}
    command = [sys.executable, "-m", "zoo", "greet", "you"]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stdout) == (0, "hello you\n"), finished.stderr


@pytest.fixture
def listen() -> Iterator[Callable[..., None]]:
    """`listen(zoo_run_started=function)`: a plugin with those hooks."""
    plugins, added = installed(), []

    def listens(**hooks: Any) -> None:
        marked = {name: value if hasattr(value, "zoo_impl") else hookimpl(value) for name, value in hooks.items()}
        added.append(f"listener{len(added)}")
        plugins.register(SimpleNamespace(**marked), added[-1])

    yield listens
    for name in added:
        plugins.unregister(name)


OVERRIDES = ["train.epochs=2", "train.batch_size=64", "expect={}"]


def test_events_are_told(listen: Callable[..., None], tmp_path: Path) -> None:
    """256 samples in batches of 64: four steps an epoch, a line and an evaluation after each, in this order."""
    heard: list[tuple[Any, ...]] = []
    place = lambda run: (run.step, run.epoch)  # noqa: E731
    listen(
        zoo_run_started=lambda run: heard.append(("started", place(run), run)),
        zoo_step_finished=lambda run, step: heard.append(("step", place(run), step)),
        zoo_logged=lambda run, figures: heard.append(("logged", place(run), figures)),
        zoo_evaluated=lambda run, figures: heard.append(("evaluated", place(run), figures)),
        zoo_run_ended=lambda run, status, results: heard.append(("ended", place(run), status, results)),
    )
    results = run("tiny_curve", OVERRIDES, out=tmp_path / "run")

    epoch = [*["step"] * 4, "logged", "evaluated"]
    assert [event for event, *_ in heard] == ["started", *epoch, *epoch, "ended"]
    assert [where for event, where, *_ in heard if event == "step"] == [(n, 1 + (n > 4)) for n in range(1, 9)]
    assert [where for event, where, *_ in heard if event in ("logged", "evaluated")] == 2 * [(4, 1)] + 2 * [(8, 2)]
    assert [step.number for event, _, step, *_ in heard if event == "step"] == list(range(1, 9))
    started = heard[0][2]
    assert heard[0][1] == (0, 0)
    assert (started.folder, started.resumed, started.steps) == (tmp_path / "run", False, 8)
    assert started.recipe["train"]["epochs"] == 2
    assert started.environment == json.loads((tmp_path / "run" / "environment.json").read_text())
    beside = {name: value for name, value in results.items() if name != "baselines"}  # they come with the report
    assert heard[-1][1:] == ((8, 2), "done", beside)
    assert results == json.loads((tmp_path / "run" / "results.json").read_text())
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    told = [{"step": where[0], "epoch": where[1], **figures} for event, where, figures, *_ in heard if event in TOLD]
    assert told == lines


TOLD = ("logged", "evaluated")


def test_nobody_is_told_of_steps_where_nobody_listens(listen: Callable[..., None]) -> None:
    from zoo.jobs.listeners import Listener, WithPlugins

    assert WithPlugins(Listener(), installed()).step is None
    listen(zoo_step_finished=lambda step: None)
    assert WithPlugins(Listener(), installed()).step is not None


def test_a_listener_that_raises_costs_only_itself(
    listen: Callable[..., None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its first failure is one line on stderr and in environment.json; it goes on hearing what comes."""
    heard: list[Any] = []

    def leaves(run: Any) -> None:
        raise SystemExit(9)

    listen(zoo_run_started=lambda run: heard.append(1))
    hears_the_end = lambda run: heard.append(run)  # noqa: E731
    listen(zoo_run_started=leaves, zoo_logged=lambda run, figures: figures["none"], zoo_run_ended=hears_the_end)
    listen(zoo_run_started=lambda run: heard.append(3))
    listen(zoo_logged=lambda run, figures: 1 / 0)
    assert run("tiny_curve", OVERRIDES, out=tmp_path / "run")["figures"]
    run_info = heard.pop()
    assert sorted(heard) == [1, 3]
    assert run_info.folder == tmp_path / "run"
    said = [line for line in capsys.readouterr().err.splitlines() if "listener" in line]
    assert said == [
        "warning: plugin `listener1` (zoo_run_started): SystemExit: 9",
        "warning: plugin `listener3` (zoo_logged): ZeroDivisionError: division by zero",
    ]
    assert json.loads((tmp_path / "run" / "environment.json").read_text())["failures"] == [
        {"plugin": "listener1", "hook": "zoo_run_started", "error": "SystemExit: 9"},
        {"plugin": "listener3", "hook": "zoo_logged", "error": "ZeroDivisionError: division by zero"},
    ]


def test_registering_by_hand_raises() -> None:
    """A test's or a notebook's plugin is not swallowed: whoever registers it wants to know."""
    plugins = Plugins()
    twins = SimpleNamespace(zoo_components=hookimpl(lambda: [model("a", "m:a"), model("a", "m:b")]))
    with pytest.raises(ValueError, match="two components are named model/a"):
        plugins.register(twins, "twins")
    assert plugins.plugins == []
