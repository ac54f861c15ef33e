"""A sweep as its folder has it: the recipe, what is varied, and how."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from zoo import InputError, new_folder, open_recipe, write_file
from zoo_lab.sweep.settings import Sweep
from zoo_lab.sweep.space import Space, grid, read_space

PLAN = "sweep.json"
FORM = "optimizer.lr='{low=1e-4, high=0.1, log=true}' or optimizer.lr='[0.01, 0.1]'"


@dataclass(frozen=True)
class Plan:
    """A sweep.

    Attributes:
        recipe: a file, or a shipped recipe's name.
        overrides: `KEY=VALUE` texts that hold for all trials.
    """

    folder: Path
    recipe: str
    overrides: list[str]
    quick: bool
    settings: Sweep

    @property
    def space(self) -> Space:
        return read_space(self.settings.over)

    @property
    def searched(self) -> int:
        """Trials before those around the best."""
        return len(grid(self.space)) if self.settings.method == "grid" else self.settings.trials

    @property
    def better(self) -> int:
        """The sign of a figure that grows: 1 where large is good, else -1."""
        return 1 if self.settings.mode == "max" else -1


def make_plan(
    recipe: str, overrides: Iterable[str], over: Iterable[str], quick: bool = False, out: Path | None = None
) -> Plan:
    """Check a recipe's `[sweep]`, and open a folder for it or the one where it was begun.

    Args:
        over: `KEY=VALUES` texts of what is varied, added to the recipe's `[sweep.over]`.

    Raises:
        InputError: the recipe or the sweep is wrong, or the folder has another sweep.
    """
    overrides = list(overrides)
    loaded = open_recipe(recipe, [*overrides, *_as_overrides(over)], quick)
    table = loaded.table.get("sweep", {})
    settings = Sweep(**table)
    if not settings.over:
        raise InputError("the sweep varies nothing", f'[sweep.over] "optimizer.lr" = [0.01, 0.1], or --over {FORM}')
    folder = out or new_folder(f"{loaded.name}-sweep")
    folder.mkdir(parents=True, exist_ok=True)
    content = json.dumps({"recipe": recipe, "overrides": overrides, "quick": quick, "sweep": table}, indent=2)
    file = folder / PLAN
    if file.exists() and file.read_text() != content:
        raise InputError(f"{folder} has another sweep", "name another folder with --out")
    write_file(file, content.encode())
    return Plan(folder, recipe, overrides, quick, settings)


def _as_overrides(over: Iterable[str]) -> Iterator[str]:
    """Yield `optimizer.lr=[0.1, 1]` as `sweep.over={ "optimizer.lr" = [0.1, 1] }`, so that it is checked as that is."""
    for text in over:
        key, _, values = text.partition("=")
        try:
            tomllib.loads(f"values = {values}")
        except tomllib.TOMLDecodeError as error:
            raise InputError(f"`{text}` does not say what to vary", f"--over {FORM}") from error
        yield f"sweep.over={{ {json.dumps(key.strip())} = {values} }}"
