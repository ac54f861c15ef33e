"""The wheel is complete: in an empty folder, with nothing of the checkout at hand, recipes are found by name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

Shell = Callable[..., str]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def shell(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """`shell("zoo", "list")` runs `python -m zoo list` in an empty folder, with the wheel installed: its stdout."""
    site, folder = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("empty")
    environment = {**os.environ, "PYTHONPATH": str(site)}

    def run(*arguments: str | Path) -> str:
        command = [sys.executable, "-m", *map(str, arguments)]
        finished = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    run("pip", "install", "--quiet", "--no-deps", "--target", site, wheel)
    return run


def test_what_is_in_it(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    recipes = {name.removeprefix("zoo/recipes/toml/") for name in names if name.endswith(".toml")}
    assert recipes == {file.name for file in (ROOT / "recipes").glob("*.toml")}
    assert {name.partition("/")[0] for name in names if ".dist-info" not in name} == {
        "zoo", "zoo_basics", "zoo_detection", "zoo_lab", "zoo_seq", "zoo_vision",
    }  # fmt: skip
    assert "zoo/py.typed" in names


def test_components_are_listed(shell: Shell) -> None:
    rows = json.loads(shell("zoo", "list", "--json"))
    assert {"tiny_ssd", "cross_entropy"} <= {row["name"] for row in rows}


def test_a_recipe_is_found_by_name(shell: Shell) -> None:
    assert shell("zoo", "show", "ssd") == (ROOT / "recipes" / "ssd.toml").read_text()
    explained = shell("zoo", "check", "ssd", "--explain")
    assert "zoo/recipes/toml/ssd.toml:" in explained
    assert str(ROOT) not in explained
