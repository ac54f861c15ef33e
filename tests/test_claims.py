"""What docs/answers.md and docs/results.md claim can be repeated: their commands, recipes and scripts exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.bounds import RECIPES, bounds_of

ROOT = Path(__file__).parent.parent
ANSWERS, RESULTS = ((ROOT / "docs" / page).read_text() for page in ("answers.md", "results.md"))
SECTIONS = {section.partition("\n")[0]: section for section in ANSWERS.split("\n## ")[1:]}
COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SCRIPT = re.compile(r"\b(experiments|benchmarks)\.(?!md\b)(\w+)")
NO_EXPERIMENTS = {"__init__", "tables"}


@pytest.mark.parametrize("title", SECTIONS)
def test_every_answer_has_a_command_that_repeats_it(title: str) -> None:
    """A run of a shipped recipe; a sweep, and a script that makes the table; or a script alone."""
    (block, *_) = COMMANDS.findall(SECTIONS[title])
    recipes = re.findall(r"zoo (?:sweep|run) (\S+)", block)
    assert recipes or SCRIPT.search(block)
    assert [name for name in recipes if name not in RECIPES] == []
    assert "zoo sweep" not in block or SCRIPT.search(block), "what makes the table?"


def test_scripts_that_the_pages_name_exist() -> None:
    pages = [page.read_text() for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))]
    named = {match.groups() for page in pages for match in SCRIPT.finditer(page)}
    assert [name for name in named if not ROOT.joinpath(*name).with_suffix(".py").exists()] == []


def test_every_experiment_has_its_answer() -> None:
    named = {name for folder, name in SCRIPT.findall(ANSWERS) if folder == "experiments"}
    assert {file.stem for file in (ROOT / "experiments").glob("*.py")} - NO_EXPERIMENTS == named


def test_every_sweep_has_its_answer() -> None:
    sweeps = {name for name, file in RECIPES.items() if "\n[sweep.over]" in Path(file).read_text()}
    assert sweeps <= set(re.findall(r"zoo sweep (\w+)", ANSWERS))


def test_a_recipe_is_held_to_what_the_results_promise() -> None:
    """Where a row begins with a recipe's name and its second cell is a number, `[expect]` asks for no less."""
    rows = re.findall(r"^\| `(?:recipes/)?(\w+?)(?:\.toml)?`[^|]*\| (0\.\d+) \| [^|]*\| \w+ \|$", RESULTS, re.MULTILINE)
    assert len(rows) > 5
    for name, least in rows:
        bounds = bounds_of(name, quick=False).values()
        assert not bounds or max(bound["min"] for bound in bounds) >= float(least), name
