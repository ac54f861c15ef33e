"""The documentation says what is: generated parts are up to date, and what can be run in it runs."""

from __future__ import annotations

import importlib
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from docs.generate import pages
from tests.conftest import Command
from tests.distributions import make_distribution
from zoo import hookimpl
from zoo.cli import complete_app
from zoo.registry.catalog import Catalog
from zoo.registry.plugins import hooks, installed, listening
from zoo.tasks import Task
from zoo.testing import checks_of
from zoo.testing.contracts import contracts_of

ROOT = Path(__file__).parent.parent
TEXTS = {file.name: file.read_text() for file in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}
FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")


def blocks(language: str, *pages: str) -> list[Any]:
    """The fenced blocks of a language, each named by its page and number."""
    found = [(page, FENCED.finditer(TEXTS[page])) for page in pages or TEXTS]
    return [
        pytest.param(block[2], id=f"{page}-{number}")
        for page, each in found
        for number, block in enumerate(each)
        if block[1] == language
    ]


def commands() -> Iterator[str]:
    """What the pages tell a person to type that begins with `zoo`."""
    for text in TEXTS.values():
        lines = [line for block in FENCED.finditer(text) if block[1] == "sh" for line in block[2].splitlines()]
        for line in [*lines, *INLINE.findall(FENCED.sub("", text))]:
            typed = line.partition("#")[0].split("&&")[-1].strip()
            if typed.startswith("zoo "):
                yield typed


@pytest.mark.parametrize("file", pages(), ids=lambda file: file.name)
def test_what_comes_from_the_code_is_up_to_date(file: Path) -> None:
    assert file.read_text() == pages()[file], "python -m docs.generate"


@pytest.mark.parametrize("typed", sorted(set(commands())))
def test_commands_and_options_are_there(typed: str) -> None:
    group: Any = typer.main.get_command(complete_app())
    words = typed.split()[1:]
    command = next((word for word in words if not word.startswith("-")), None)
    known = {option for one in group.params for option in one.opts}
    if command is not None:
        assert command in group.commands
        known |= {option for one in group.commands[command].params for option in one.opts}
    assert {word for word in words if word.startswith("-")} <= known


def test_every_command_is_named() -> None:
    names = set(typer.main.get_command(complete_app()).commands)  # type: ignore[attr-defined]
    assert all(f"| `zoo {name}` |" in TEXTS["index.md"] for name in names)


@pytest.mark.parametrize("text", [*blocks("toml", "README.md", "recipes.md", "sequences.md", "vision.md")])
def test_recipes_are_right(text: str, zoo: Command, tmp_path: Path) -> None:
    """A part of a recipe is checked as an addition to `ssd`."""
    whole = {"task", "extends"} & set(tomllib.loads(text))
    file = tmp_path / "recipe.toml"
    file.write_text(text if whole else f'extends = "ssd"\n{text}')
    finished = zoo("check", file)
    assert finished.status == 0, finished.stderr


def test_the_mistake_is_reported_as_shown(zoo: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (shown,) = [block.values[0] for block in blocks("text", "recipes.md")]
    place = re.search(r"--> (\S+):(\d+):1\n   \| (.*)\n", shown)
    assert place
    monkeypatch.chdir(tmp_path)
    head = 'task = "detection"\ndataset = "scenes"\noptimizer = "sgd"\ntrain.epochs = 1\n[model]\nname = "tiny_ssd"\n'
    Path(place[1]).write_text(head + "\n" * (int(place[2]) - 7) + place[3] + "\n")
    assert zoo("check", place[1]).stderr.strip() == shown.strip()


def test_the_python_of_the_first_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for block in blocks("python", "index.md"):
        exec(compile(block.values[0], "index.md", "exec"), {})


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The plugin that plugins.md shows, written out and installed."""
    for language in ("python", "toml"):
        for block in blocks(language, "plugins.md"):
            name, _, text = block.values[0].removeprefix("# ").partition("\n")
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
    project = tomllib.loads((tmp_path / "pyproject.toml").read_text())["project"]
    make_distribution(tmp_path, project["name"], project["entry-points"]["zoo"])
    monkeypatch.syspath_prepend(tmp_path)
    installed.cache_clear()
    yield
    installed.cache_clear()
    for module in [name for name in sys.modules if name.partition(".")[0] == "mine"]:
        del sys.modules[module]


def test_the_plugin_of_the_page_keeps_the_contracts(mine: None) -> None:
    for check in checks_of("mine"):
        check()


def test_the_recipe_of_the_page_runs(mine: None, zoo: Command, tmp_path: Path) -> None:
    finished = zoo("run", "blobs", "--out", tmp_path / "run")
    assert finished.status == 0, finished.stderr
    assert '"class": "corner 0"' in zoo("predict", tmp_path / "run", "1, 0").stdout
    heard = [json.loads(line) for line in (tmp_path / "run" / "tracker.jsonl").read_text().splitlines()]
    assert [line.get("epoch") for line in heard] == [1, 2, 3, 4, 5, None]
    assert heard[-1] == {"status": "done"}


def test_the_table_and_the_command_of_the_page_work(mine: None, zoo: Command, tmp_path: Path) -> None:
    class Plugin:
        @hookimpl
        def zoo_tables(self) -> dict[str, Any]:
            return {"rounds": importlib.import_module("mine.rounds").Rounds}

        @hookimpl
        def zoo_commands(self, app: Any) -> None:
            importlib.import_module("mine.commands").add_commands(app)

    recipe = tmp_path / "rounds.toml"
    recipe.write_text('extends = "mine/blobs"\n[rounds]\norder = ["easy", "hrad"]\n')
    with listening(Plugin(), "more"):
        finished = zoo("check", recipe)
        assert finished.status == 2 and "rounds.toml:3:18" in finished.stderr and "`hard`?" in finished.stderr
        assert json.loads(zoo("count", "blobs").stdout)["weights"] > 100
        assert "did you mean `train.epochs=2`?" in zoo("count", "blobs", "--epochs", "2").stderr


def test_every_hook_and_every_method_of_a_task_is_documented() -> None:
    names = [name for name, value in vars(hooks).items() if hasattr(value, "zoo_spec")]
    names += [name for name in vars(Task) if not name.startswith("_")]
    page = TEXTS["plugins.md"]
    assert [name for name in names if f"`{name}`" not in page and f"`{name}(" not in page] == []


def test_every_contract_is_documented() -> None:
    contracts = {holds.__name__ for component in Catalog().components for holds in contracts_of(component)}
    assert [name for name in contracts if f"`{name}`" not in TEXTS["plugins.md"]] == []


def test_links_lead_somewhere() -> None:
    for name, text in TEXTS.items():
        folder = ROOT if name == "README.md" else ROOT / "docs"
        for link in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (folder / link).exists(), f"{name}: {link}"
