"""What reaches a terminal: no control characters of recipes or plugins; and streams that are closed or lack letters."""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import Command
from zoo import InputError, RunFailed, Stopped, hookimpl, model
from zoo import run as run_recipe
from zoo.cli.output import Said, print_error, print_json, print_table, print_text, ready_streams, say, show_status
from zoo.cli.progress import Terminal, print_results, show_progress
from zoo.errors import plain
from zoo.registry.hooks import RunInfo
from zoo.registry.plugins import installed, listening

WILD = "\x1b]0;title\x07\x9b31m\u202e\u2066\n\rerror: all is well\u2028\x7f\ud800"
SHOWN = r"\x1b]0;title\x07\x9b31m\u202e\u2066\n\rerror: all is well\u2028\x7f\ud800"


def test_what_moves_a_cursor_or_turns_text_around_is_escaped_and_nothing_else() -> None:
    """Against the standard's own tables: the controls, the bidirectional formats, line and paragraph ends, halves."""
    formats = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    marks = {"\u200e", "\u200f", "\u061c"}
    for character in map(chr, range(0x11000)):
        wild = (
            unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
            or unicodedata.bidirectional(character) in formats
            or character in marks
        )
        assert plain(character) == (repr(character)[1:-1] if wild else character), hex(ord(character))
    assert plain("naïve 日本語 👩\u200d👩\u200d👧") == "naïve 日本語 👩\u200d👩\u200d👧"
    assert plain("a\tb\nc", keep="\n") == "a\\tb\nc"


def test_messages_are_what_they_say(capsys: pytest.CaptureFixture[str]) -> None:
    """A name with a line end forges no line."""
    say(WILD)
    print_error(InputError(f"unknown model `{WILD}`", f"did you mean `{WILD}`?"))
    print_error(InputError("error[x]: located"))
    assert capsys.readouterr().err.splitlines() == [
        SHOWN,
        f"error: unknown model `{SHOWN}`",
        f"  help: did you mean `{SHOWN}`?",
        "error[x]: located",
    ]


def test_tables_and_texts_are_what_they_say(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("name", "summary"), [(WILD, "b"), ("a", "")])
    print_text(f"one\n\ttwo\x1b{WILD[:3]}")
    out = capsys.readouterr().out
    assert out.splitlines() == [
        "name".ljust(len(SHOWN)) + "  summary",
        f"{SHOWN}  b",
        "a",
        "one",
        "\ttwo\\x1b\\x1b]0",
    ]


def test_json_is_safe_to_print_and_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({WILD: ["é日", WILD]})
    out = capsys.readouterr().out
    assert plain(out, keep="\n") == out
    assert "é日" in out
    assert json.loads(out) == {WILD: ["é日", WILD]}
    print_json([1, {"a": 2}], indent=None)
    assert capsys.readouterr().out == '[1, {"a": 2}]\n'


def test_json_on_an_ascii_terminal_is_json(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="backslashreplace")
    monkeypatch.setattr("sys.stdout", stream)
    print_json("é日")
    assert json.loads(stream.buffer.getvalue()) == "é日"  # type: ignore[attr-defined]


@pytest.fixture
def wild_plugin() -> Iterator[None]:
    plugins = installed()
    summary = f"red {WILD}"
    plugin = SimpleNamespace(zoo_components=hookimpl(lambda: [model("calm", "a:b", summary=summary)]))
    plugins.register(plugin, "wild")
    yield
    plugins.unregister("wild")


def test_a_plugins_words_are_escaped(wild_plugin: None, zoo: Command) -> None:
    listed = zoo("list", "model")
    assert f"red {SHOWN}" in listed.stdout
    assert plain(listed.stdout, keep="\n") == listed.stdout
    (row,) = (row for row in json.loads(zoo("list", "model", "--json").stdout) if row["name"] == "calm")
    assert row["summary"] == f"red {WILD}"


def test_a_recipes_words_are_escaped(zoo: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its keys and values, its file's name, and the line that is shown of it."""
    monkeypatch.chdir(tmp_path)
    name = "\x1b[31mred\n.toml"
    Path(name).write_text(
        'extends = "sine"\n"\\u001b]0;pwned\\u0007" = 1\n"a\\nerror: all is well" = 2\nmodel = "\u202e\\u001bx"\n'
    )
    for arguments in (
        ("check", name),
        ("run", name),
        ("check", name, "--json"),
        ("check", "none\x1b\n"),
        ("show", "\x1b\n"),
    ):
        finished = zoo(*arguments)
        assert finished.status == 2
        assert plain(finished.stdout + finished.stderr, keep="\n") == finished.stdout + finished.stderr
        assert not [line for line in finished.stderr.splitlines() if line.startswith("error: all")]
    shown = zoo("check", name).stderr
    assert r"error[unknown-key]: unknown key `a\nerror: all is well`" in shown
    assert r"--> \x1b[31mred\n.toml:3:1" in shown
    assert r"   | model = " '"' r"\u202e\u001bx" '"' in shown


# Progress


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def at(step: int = 5, **more: Any) -> RunInfo:
    values = {"steps": 20, "best": True, "examples_per_second": 50.0, "seconds_left": 6.0, **more}
    return RunInfo(Path("runs/a/1"), {}, {}, step=step, **values)


def test_progress_in_a_file_is_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([100.0, 102.0, 105.1, 110.2])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    terminal, logger = Terminal(), logging.getLogger("a test's")
    logger.addHandler(Said())
    logger.setLevel(logging.INFO)
    logger.info("preparing dataset `%s`", "scenes")
    logger.info("preparing dataset `%s`", "scenes")  # of the next trial of a sweep
    terminal.zoo_run_started(at())
    for step, left in ((1, 1999.0), (2, 998.0), (3, 665.0), (600, 1.3)):
        terminal.zoo_logged(at(step, steps=1000, seconds_left=left), {"loss\x1b": 0.123456})
    terminal.zoo_evaluated(at(), {"val/loss": 2})
    terminal.zoo_evaluated(at(6, best=False, seconds_left=5.0), {"val/loss": 3})
    terminal.zoo_evaluated(at(0, steps=0), {"val/loss": 4})
    logger.warning("a %s", "word")
    assert capsys.readouterr().err.splitlines() == [
        "preparing dataset `scenes`",
        "run folder: runs/a/1",
        r"step 1/1000  loss\x1b 0.1235  50 examples/s  33 min left",
        r"step 3/1000  loss\x1b 0.1235  50 examples/s  11 min left",
        r"step 600/1000  loss\x1b 0.1235  50 examples/s  1 s left",
        "step 5/20  val/loss 2  50 examples/s  6 s left  (best)",
        "step 6/20  val/loss 3  50 examples/s  5 s left",
        "val/loss 4  (best)",
        "a word",
    ]


def test_progress_on_a_terminal_is_a_line_that_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr("sys.stderr", screen)
    with show_progress():
        pass
    terminal, logger = Terminal(), logging.getLogger("another test's")
    logger.addHandler(Said())
    logger.setLevel(logging.INFO)
    logger.info("preparing dataset `%s`", "scenes")
    terminal.zoo_run_started(at())
    terminal.zoo_logged(at(examples_per_second=0.0, seconds_left=0.0), {"loss": 1})
    terminal.zoo_evaluated(at(), {"val/loss": 2})
    show_status("red\x1b")
    assert screen.getvalue() == (
        "\rpreparing ...\x1b[K"
        "\rpreparing dataset `scenes` ...\x1b[K"
        "\r\x1b[Krun folder: runs/a/1\n"
        "\rstep 5/20  loss 1  0 examples/s  0 s left\x1b[K"
        "\r\x1b[Kstep 5/20  val/loss 2  50 examples/s  6 s left  (best)\n"
        "\rred\\x1b\x1b[K"
    )


def test_a_header_is_bold_on_a_terminal_that_has_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    for colours, header in (("", "\x1b[1ma\x1b[0m\n"), ("1", "a\n")):
        screen = Screen()
        monkeypatch.setattr("sys.stdout", screen)
        monkeypatch.setenv("NO_COLOR", colours)
        print_table(("a",), [("b",)])
        assert screen.getvalue() == f"{header}b\n"


def test_a_run_says_what_it_prepares_before_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[str] = []
    caplog.set_level("INFO", "zoo")
    monkeypatch.setattr("zoo.jobs.scoring.logger.info", lambda text, name: heard.append(text % name))
    monkeypatch.setattr("zoo_tiny.curve.sine_curve", lambda **arguments: heard.append("built"), raising=True)
    with pytest.raises(Exception):  # noqa: B017 the set is none
        run_recipe("tiny_curve", out=tmp_path / "run")
    assert heard == ["preparing dataset `sine_curve`", "built"]


def test_results_name_their_figures_and_where_the_report_is(capsys: pytest.CaptureFixture[str]) -> None:
    results = {"figures": {"val/a\x1b": 0.1234567}, "expect": {}, "seconds": 1.4, "folder": "runs/a/1"}
    print_results(results, as_json=False)
    assert capsys.readouterr() == ("val/a\\x1b\t0.123457\n", "1 s; report: runs/a/1/report.html\n")


# Streams


def shell(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    zoo = f"{sys.executable} -m zoo"
    command = ["bash", "-c", line.replace("zoo", zoo, 1)]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "line, status, said",
    [
        ("zoo list >&-", 0, ""),
        ("zoo list nonsense 2>&-", 2, ""),
        ("zoo list >&- 2>&- <&-", 0, ""),
        ("zoo list nonsense >&-", 2, "error: `nonsense` is no kind of component\n  help: there are "),
        ("zoo list > /dev/full", 3, "error: the results cannot be written: No space left on device\n"),
        ("zoo list | head -1; exit ${PIPESTATUS[0]}", 0, ""),
        ("zoo list | true; exit ${PIPESTATUS[0]}", 0, ""),
    ],
)
def test_streams_that_take_nothing(line: str, status: int, said: str) -> None:
    finished = shell(line)
    assert (finished.returncode, finished.stderr[: len(said) or None]) == (status, said)


def test_streams_are_made_to_take_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """A letter that stdout lacks, bytes on stdin that are no UTF-8, and a stderr that is closed."""
    out = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(out, encoding="ascii"))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a\xff.png"), encoding="utf-8"))
    monkeypatch.setattr("sys.stderr", None)
    ready_streams()
    print_text("é")
    say("nowhere")
    assert out.getvalue() == b"\\xe9\n"
    assert os.fsencode(sys.stdin.read()) == b"a\xff.png"


def test_an_ascii_terminal_gets_escapes(tmp_path: Path) -> None:
    (tmp_path / "é.toml").write_text('extends = "sine"\nmodel = "é日"\n')
    ascii = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    finished = shell(f"zoo check {tmp_path}/é.toml", **ascii)
    assert finished.returncode == 2
    assert "`\\xe9\\u65e5`" in finished.stderr
    assert "\\xe9.toml:2:9" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_run_outlives_the_reader_of_its_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        monkeypatch.setattr("sys.stderr", stream)
        say("nobody hears this")
        say("nor this")
    with open("/dev/full", "w") as stream:
        monkeypatch.setattr("sys.stderr", stream)
        say("nor this, on a disk that is full")


def test_results_that_cannot_be_written_are_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "w") as stream:
        monkeypatch.setattr("sys.stdout", stream)
        with pytest.raises(RunFailed, match="No space left"):
            print_text("a")
        print_text("into nowhere, so that Python's own last flush is not a traceback")


# A stop


class Interrupted:
    """Sends this process a signal as soon as it trains."""

    @hookimpl
    def zoo_run_started(self, run: RunInfo) -> None:
        os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("name", ["run", "with blank"])
def test_a_stopped_run_says_how_it_goes_on(name: str, tmp_path: Path) -> None:
    with listening(Interrupted()), pytest.raises(Stopped) as stopped:
        run_recipe("tiny_curve", ["expect={}"], out=tmp_path / name)
    folder = f"{tmp_path}/run" if name == "run" else f"'{tmp_path}/with blank'"
    assert str(stopped.value) == f"stopped by a signal\n  help: zoo resume {folder}"
