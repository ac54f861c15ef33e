"""Plugins that do not behave: each costs only itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import Command
from tests.distributions import make_distribution
from tests.zoo.conftest import Install
from tests.zoo.training import Recorder, heard_by
from zoo import hookimpl, model
from zoo.cli import app
from zoo.errors import PluginFailed, RunFailed, Stopped
from zoo.jobs.recipe import resume, run
from zoo.jobs.signals import stop_on_signals
from zoo.registry.catalog import Catalog, UnknownComponent
from zoo.registry.foreign import Escape, cause, foreign_code
from zoo.registry.plugins import BLOCKED, Plugins, installed

HEAD = "from zoo import hookimpl, model, loss\n@hookimpl\n"
ONE_MODEL = HEAD + "def zoo_components():\n    return [model('{name}', 'torch.nn:Linear')]\n"

BROKEN = {
    "import error": ("import no_such_module_of_mine\n", "ModuleNotFoundError"),
    "error on import": ("1 / 0\n", "ZeroDivisionError"),
    "exit on import": ("raise SystemExit(7)\n", "SystemExit: 7"),
    "interrupt on import": ("raise KeyboardInterrupt\n", "KeyboardInterrupt"),
    "no Exception on import": ("raise BaseException('x')\n", "BaseException: x"),
    "hook interrupts": (HEAD + "def zoo_components():\n    raise KeyboardInterrupt('n')\n", "KeyboardInterrupt: n"),
    "error that cannot be shown": (
        "class E(Exception):\n    def __str__(self):\n        raise ValueError\nraise E\n",
        "E",
    ),
    "error of two lines": ("raise ValueError('one\\n\\x1b[31mtwo')\n", "ValueError: one \\x1b[31mtwo"),
    "name that is no string": (
        HEAD + "def zoo_components():\n    return [model(5, 'a:b')]\n",
        "the name of a component is 5; it should be a string",
    ),
    "name with a slash": (HEAD + "def zoo_components():\n    return [model('a/b', 'a:b')]\n", "one printable word"),
    "name with a blank": (HEAD + "def zoo_components():\n    return [model('a b', 'a:b')]\n", "one printable word"),
    "name with an escape": (HEAD + "def zoo_components():\n    return [model('\\x1b', 'a:b')]\n", "one printable word"),
    "empty name": (HEAD + "def zoo_components():\n    return [model('', 'a:b')]\n", "one printable word"),
    "task that is no string": (
        HEAD + "def zoo_components():\n    return [model('a', 'a:b', task=[1])]\n",
        "should be strings",
    ),
    "wrapper that does not yield": (
        "from zoo import hookimpl\n@hookimpl(wrapper=True)\ndef zoo_logged(run):\n    pass\n",
        "not a generator function",
    ),
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
    assert "bad" not in [plugin for plugin, _ in plugins.manager.list_name_plugin()]


def test_two_plugins_with_one_component_name(install: Install) -> None:
    """The short name is an error that lists both; the full name says which."""
    install(one=ONE_MODEL.format(name="same"), two=ONE_MODEL.format(name="same"))
    catalog = Catalog()
    with pytest.raises(UnknownComponent, match="several plugins: `one/same`, `two/same`") as ambiguous:
        catalog.get("model", "same")
    assert ambiguous.value.code == "ambiguous-name"
    assert [catalog.get("model", name).plugin for name in ("one/same", "two/same")] == ["one", "two"]


def test_two_plugins_without_a_hook_are_two(install: Install) -> None:
    """pluggy takes what is equal for one plugin with two names."""
    plugins = install(one="", other="")
    assert [plugin.error for plugin in plugins.plugins if plugin.name in ("one", "other")] == ["", ""]


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


def test_what_a_plugin_prints_on_import_is_no_result(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install(loud="print('garbage')\n" + HEAD + "def zoo_components():\n    print('more')\n    return []\n")
    assert capsys.readouterr() == ("", "garbage\nmore\n")


def test_a_malformed_entry_point_costs_only_its_distribution(tmp_path: Path, install: Install, zoo: Command) -> None:
    """One of zoo's is shown as broken; one of another tool's is nothing to us. Each would hide all others."""
    for name, text in (("evil", "[zoo]\nevil\n"), ("other", "[console_scripts]\nother\n")):
        make_distribution(tmp_path, name, {})
        (tmp_path / f"{name}-1.dist-info" / "entry_points.txt").write_text(text)
    (tmp_path / "shadow").mkdir()
    install(good=ONE_MODEL.format(name="fine"))
    rows = {row["name"]: row for row in json.loads(zoo("plugins", "--json").stdout)}
    assert "entry_points.txt cannot be read" in rows["evil"]["error"]
    assert rows["evil"]["distribution"] == "evil"
    assert "other" not in rows
    assert (rows["good"]["error"], rows["good"]["components"], rows["tiny"]["error"]) == (None, 1, None)
    assert len(rows) == len({plugin.name for plugin in installed().plugins}) == len(installed().plugins)
    assert "plugin `evil` is left out" in zoo("list").stderr


@pytest.mark.parametrize("kind", ["", "except BaseException:\n    pass\n", "except BaseException:\n    1 / 0\n"])
def test_ctrl_c_ends_the_program_also_while_a_plugin_is_imported(kind: str, install: Install, zoo: Command) -> None:
    """Even where the plugin catches it. A KeyboardInterrupt that it raises itself costs only the plugin (above)."""
    send = "import os, signal\n{}os.kill(os.getpid(), signal.SIGINT)\n"
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        install(slow=send.format("try:\n    " if kind else "") + kind)
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_stop_that_raises_nothing_is_no_interrupt() -> None:
    """In a run the first Ctrl-C only asks for a stop: what a plugin raises then is the plugin's."""
    with stop_on_signals() as stop, pytest.raises(Escape, match="SystemExit: 3"), foreign_code():
        os.kill(os.getpid(), signal.SIGINT)
        raise SystemExit(3)
    assert stop.requested
    with stop_on_signals(), pytest.raises(KeyboardInterrupt), foreign_code():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)


def test_foreign_code_runs_in_a_thread_too() -> None:
    """Python delivers no signal there, and allows no handler."""
    raised: list[BaseException] = []

    def work() -> None:
        try:
            with foreign_code():
                raise KeyboardInterrupt
        except Escape as error:
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert [cause(error) for error in raised] == ["KeyboardInterrupt"]


@pytest.mark.parametrize(
    "reference, said",
    [
        ("os:nope", "AttributeError: module 'os' has no attribute 'nope'"),
        ("os:environ", "os:environ is a _Environ, which nothing can call"),
        ("no_such_module_of_mine:x", "ModuleNotFoundError"),
        ("leaves_{}:x", "SystemExit: 4"),
    ],
)
def test_a_component_that_cannot_be_loaded(
    reference: str, said: str, tmp_path: Path, install: Install, zoo: Command
) -> None:
    """`check` points at its name; `show`, whose user asked for what is not there, ends with status 2 likewise."""
    module = f"leaves_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{module}.py").write_text("print('garbage')\nraise SystemExit(4)\n")
    reference = reference.format(module.removeprefix("leaves_"))
    install(bad=HEAD + f"def zoo_components():\n    return [model('gone', {reference!r})]\n")
    with pytest.raises(PluginFailed, match="model `bad/gone` cannot be loaded: ") as failed:
        Catalog().get("model", "gone").load()
    assert said in failed.value.message
    shown = zoo("show", "gone")
    assert (shown.status, shown.stdout) == (2, "")
    assert "model `bad/gone` cannot be loaded: " in shown.stderr
    assert said in shown.stderr
    recipe = tmp_path / "recipe.toml"
    recipe.write_text('task = "curve"\nmodel = "gone"\ndataset = "sine_curve"\noptimizer = "sgd"\ntrain.steps = 1\n')
    checked = zoo("check", recipe)
    assert checked.status == 2
    assert (
        checked.stderr.count("error[") == checked.stderr.count("error[broken-component]: model `bad/gone` cannot") == 1
    )
    assert "recipe.toml:2:9" in checked.stderr


def test_a_reference_may_name_an_attribute_of_an_attribute() -> None:
    assert model("a", "os:path.join").load() is os.path.join


def test_recipes_that_are_no_folder_cost_only_themselves(install: Install, zoo: Command) -> None:
    install(bad="from zoo import hookimpl\n@hookimpl\ndef zoo_recipes():\n    return 5\n")
    checked = zoo("check", "tiny_curve")
    assert checked.status == 0
    assert checked.stderr.count("warning: plugin `bad` (zoo_recipes): TypeError: ") == 1
    assert "zoo_recipes: TypeError" in zoo("plugins").stdout


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """The app as it is; what plugins add to it goes again."""
    monkeypatch.setattr(app, "registered_commands", list(app.registered_commands))
    monkeypatch.setattr(app, "registered_groups", list(app.registered_groups))


COMMANDS = "import typer\nfrom zoo import hookimpl\n@hookimpl\ndef zoo_commands(app):\n"


@pytest.mark.parametrize(
    "text, said",
    [
        ("    app.command('list')(lambda: print('not yours'))\n", "ValueError: there is a command `list` already"),
        ("    app.add_typer(typer.Typer(), name='list')\n", ""),
        ("    app.callback()(lambda: 1 / 0)\n", ""),
        ("    app.command('half')(lambda: 0)\n    raise SystemExit(9)\n", "SystemExit: 9"),
        (
            "    app.command('odd')(lambda a: 0)\n    @app.command()\n    def strange(a: list[list[int]]): 0\n",
            "AssertionError: ",
        ),
        ("    print('garbage')\n", ""),
    ],
    ids=["a command of another", "an empty group", "a callback", "exit", "a type that typer does not know", "print"],
)
@pytest.mark.usefixtures("commands")
def test_commands_that_break_cost_only_themselves(text: str, said: str, install: Install, zoo: Command) -> None:
    install(bad=COMMANDS + text, good=COMMANDS + "    app.command()(greet)\ndef greet(): print('hello')\n")
    listed = zoo("list", "task", "--json")
    assert listed.status == 0
    assert "curve" in {row["name"] for row in json.loads(listed.stdout)}
    warnings = [line for line in listed.stderr.splitlines() if "bad" in line]
    if said:
        assert len(warnings) == 1
        assert warnings[0].startswith(f"warning: plugin `bad` (zoo_commands): {said}")
    assert "half" not in {command.name for command in app.registered_commands}
    assert zoo("greet").stdout == "hello\n"


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


def test_nobody_is_told_of_steps_where_nobody_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(Plugins, "tell", lambda plugins, event, **arguments: told.append(event))
    run("tiny_curve", OVERRIDES, out=tmp_path / "first")
    assert "zoo_logged" in told and "zoo_step_finished" not in told
    with heard_by(Recorder()):
        run("tiny_curve", OVERRIDES, out=tmp_path / "second")
    assert told.count("zoo_step_finished") == 8


def test_an_object_listens_for_as_long_as_it_is_asked_to(tmp_path: Path) -> None:
    with heard_by(recorder := Recorder()):
        run("tiny_curve", OVERRIDES, out=tmp_path / "first")
    run("tiny_curve", OVERRIDES, out=tmp_path / "second")
    assert [step.number for step in recorder.steps] == list(range(1, 9))


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
    steps: list[int] = []
    listen(zoo_logged=lambda run, figures: steps.append(run.step))
    assert run("tiny_curve", OVERRIDES, out=tmp_path / "run")["figures"]
    run_info = heard.pop()
    assert sorted(heard) == [1, 3]
    assert steps == [4, 8]
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


def test_pluggy_calls_the_listeners(listen: Callable[..., None], tmp_path: Path) -> None:
    """In the order that pluggy documents: wrappers around tryfirst, the plain ones, trylast; what fails drops out."""
    heard: list[str] = []

    def hears(name: str) -> Callable[[Any], None]:
        return lambda run: heard.append(name)

    @hookimpl(wrapper=True)
    def new(run: Any) -> Any:
        heard.append("before")
        answers = yield
        heard.append("after")
        return answers

    @hookimpl(hookwrapper=True)
    def old(run: Any) -> Any:
        heard.append("old before")
        outcome = yield
        heard.append(f"old after {outcome.get_result()}")

    @hookimpl(wrapper=True)
    def never_yields(run: Any) -> Any:
        if run is None:
            yield

    @hookimpl(wrapper=True)
    def yields_twice(run: Any) -> Any:
        yield
        yield

    @hookimpl(wrapper=True, tryfirst=True)
    def leaves_after(run: Any) -> Any:
        yield
        raise SystemExit(3)

    listen(zoo_run_started=hookimpl(trylast=True)(hears("last")))
    listen(zoo_run_started=hears("plain"))
    listen(zoo_run_started=hookimpl(tryfirst=True)(hears("first")))
    for wrapper in (old, new, never_yields, yields_twice, leaves_after):
        listen(zoo_run_started=wrapper)
    run("tiny_curve", OVERRIDES, out=tmp_path / "run")
    assert heard == ["before", "old before", "first", "plain", "last", "old after []", "after"]
    failures = json.loads((tmp_path / "run" / "environment.json").read_text())["failures"]
    assert {failure["plugin"]: failure["error"] for failure in failures} == {
        "listener5": "StopIteration",
        "listener6": "RuntimeError: the wrapper yields more than once",
        "listener7": "SystemExit: 3",
    }


def test_listeners_are_told_how_a_run_ends(listen: Callable[..., None], tmp_path: Path) -> None:
    """Stopped at a step, gone on with, and failed: a tracker can close its file each time."""
    heard: list[Any] = []
    broken = iter(["stop", "go on", "fail"])

    def step(run: Any, step: Any) -> None:
        if run.step == 3 and run.folder.name == "run":
            os.kill(os.getpid(), signal.SIGTERM)

    listen(
        zoo_run_started=lambda run: heard.append((next(broken), run.resumed, run.step, run.epoch)),
        zoo_step_finished=step,
        zoo_run_ended=lambda run, status, results: heard.append((status, run.step, results and results["figures"])),
    )
    listen(zoo_run_started=lambda run: 1 / (run.folder.name != "run"))
    with pytest.raises(Stopped):
        run("tiny_curve", OVERRIDES, out=tmp_path / "run")
    results = resume(tmp_path / "run")
    with pytest.raises(RunFailed):
        run("tiny_curve", [*OVERRIDES, "optimizer.lr=1e30"], out=tmp_path / "failed")
    stops, fails = [("stop", False, 0, 0), ("stopped", 3, None)], [("fail", False, 0, 0), ("failed", 4, None)]
    assert heard == [*stops, ("go on", True, 3, 1), ("done", 8, results["figures"]), *fails]
    failures = json.loads((tmp_path / "run" / "environment.json").read_text())["failures"]
    assert [failure["plugin"] for failure in failures] == ["listener1", "listener1"]  # once before, once after
    assert "failures" not in json.loads((tmp_path / "failed" / "environment.json").read_text())


def test_registering_by_hand_raises() -> None:
    """A test's or a notebook's plugin is not swallowed: whoever registers it wants to know."""
    plugins = Plugins()
    twins = SimpleNamespace(zoo_components=hookimpl(lambda: [model("a", "m:a"), model("a", "m:b")]))
    with pytest.raises(ValueError, match="two components are named model/a"):
        plugins.register(twins, "twins")
    with pytest.raises(ValueError, match="the name of a plugin is 'a/b'"):
        plugins.register(SimpleNamespace(), "a/b")
    assert plugins.plugins == []
