"""What a run writes into its folder before and after its work."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.catalog import Catalog
from zoo.errors import InputError, nearest
from zoo.jobs.listeners import Results, RunInfo
from zoo.recipe import Recipe
from zoo.run_folder import ENVIRONMENT, RECIPE, RESULTS, Folder, asset_files, new_folder


def require_empty(out: Path) -> None:
    """A run may begin here.

    Raises:
        InputError: something else is there, or nothing can be.
    """
    try:
        taken = out.exists() and not Folder(out).is_free()
    except OSError as error:
        raise InputError(f"{out} cannot be a run folder: {error.strerror}") from error
    if taken:
        raise InputError(f"{out} is not empty", "name another folder with --out, or leave --out away")


def open_new(recipe: Recipe, out: Path | None) -> Folder:
    """The folder of a new run: `out`, or the next one of the recipe."""
    if out is None:
        out = new_folder(recipe.name)
    out.mkdir(parents=True, exist_ok=True)
    return Folder(out)


def write_beginnings(folder: Folder, recipe: Recipe, builder: Any, device: Any, data: Any, catalog: Catalog) -> None:
    """The assets, what the run depends on, and the spelled-out recipe."""
    from zoo.environment import describe_environment

    folder.recover()
    folder.commit(asset_files(builder.assets))
    folder.write_json(ENVIRONMENT, describe_environment(device, data, catalog.plugins))
    write_recipe(folder, recipe.name, builder.spelled)  # last: what has one can be resumed


def write_recipe(folder: Folder, name: str, table: Mapping[str, Any]) -> None:
    """recipe.toml."""
    import tomli_w

    # Plain values first: TOML would read them into the table before.
    plain = {key: value for key, value in table.items() if not isinstance(value, dict)}
    tables = {key: value for key, value in table.items() if isinstance(value, dict)}
    folder.write(RECIPE, tomli_w.dumps({"name": name, **plain, **tables}).encode())


def run_info(folder: Folder, spelled: dict[str, Any], **progress: Any) -> RunInfo:
    """What listeners are told of a run; `progress` is how far it is."""
    return RunInfo(folder.path, spelled, json.loads((folder.path / ENVIRONMENT).read_bytes()), **progress)


def finish(folder: Folder, results: Results) -> Results:
    """Write results.json, which says that the run is over."""
    results = {"folder": str(folder.path), **results}
    folder.write_json(RESULTS, results)
    return results


def verdicts_of(recipe: Recipe, figures: Mapping[str, float]) -> dict[str, Any]:
    """For each figure of `[expect]`: its value, its bounds, and whether it is within them."""
    verdicts = {}
    for name, bounds in recipe.table.get("expect", {}).items():
        value = figures.get(name)
        met = value is not None and bounds.get("min", value) <= value <= bounds.get("max", value)
        verdicts[name] = {"value": value, **bounds, "met": met}
        if value is None and (near := nearest(name, figures)):
            verdicts[name]["nearest"] = near
    return verdicts
