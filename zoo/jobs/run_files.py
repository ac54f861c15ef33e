"""What a run writes into its folder before and after its work."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.data import Data
from zoo.errors import InputError, nearest
from zoo.recipes.build import Builder
from zoo.recipes.recipe import Recipe
from zoo.registry.plugins import Failure
from zoo.runs.assets import asset_files
from zoo.runs.files import Content, require_writable
from zoo.runs.folder import ENVIRONMENT, RECIPE, RESULTS, Folder, new_folder

if TYPE_CHECKING:
    import torch

Results = dict[str, Any]


def require_empty(out: Path) -> None:
    """Refuse a folder in which no run may begin, before anything is prepared.

    Raises:
        InputError: something else is there, or nothing can be.
    """
    try:
        require_writable(out)
        if out.exists() and not Folder(out).is_free():
            raise InputError(f"{out} is not empty", "name another folder with --out, or leave --out away")
    except OSError as error:
        raise InputError(f"{out} cannot be a run folder: {error.strerror}") from error


@contextmanager
def claimed(recipe: Recipe, out: Path | None) -> Iterator[Folder]:
    """The folder of a new run, locked: `out`, or the next one of the recipe.

    Raises:
        InputError: another run has begun there since it was looked at.
    """
    path = out or new_folder(recipe.name)
    path.mkdir(parents=True, exist_ok=True)
    folder = Folder(path)
    with folder.locked():
        require_empty(path)
        yield folder


def beginnings(builder: Builder, device: torch.device, data: Data) -> dict[str, Content]:
    """Return the assets, what the run depends on, and the spelled-out recipe, as files of a commit.

    With them a run can be resumed.
    """
    from zoo.runs.environment import describe_environment

    environment = {**describe_environment(device, data, builder.catalog.plugins), "runs": builder.runs}
    recipe = recipe_file(builder.recipe.name, builder.spelled)
    return {**asset_files(builder.assets), **environment_file(environment), **recipe}


def recipe_file(name: str, table: Mapping[str, Any]) -> dict[str, Content]:
    """recipe.toml, as a file of a commit."""
    import tomli_w

    # Plain values first: TOML would read them into the table before.
    plain = {key: value for key, value in table.items() if not isinstance(value, dict)}
    tables = {key: value for key, value in table.items() if isinstance(value, dict)}
    return {RECIPE: [tomli_w.dumps({"name": name, **plain, **tables}).encode()]}


def environment_file(environment: Mapping[str, Any]) -> dict[str, Content]:
    """environment.json, as a file of a commit."""
    return {ENVIRONMENT: [json.dumps(environment, indent=2).encode()]}


def require_same_data(folder: Folder, data: Data, meant: bool, takes_over: bool = False) -> None:
    """Compare a dataset's fingerprint with the one that the run recorded.

    Args:
        meant: the person says that the data have changed.
        takes_over: record the new fingerprint then, since the run goes on with these data.

    Raises:
        InputError: they have, and nobody said so.
    """
    from zoo.runs.environment import fingerprints

    environment = folder.read_json(ENVIRONMENT)
    recorded, now = environment.get("dataset", {}), fingerprints(data)
    changed = [name for name in recorded if recorded[name] != now.get(name)]
    if changed and not meant:
        before, after = recorded[changed[0]], now.get(changed[0])
        raise InputError(
            f"the data set is not the one that {folder.path} was begun with: split `{changed[0]}` had "
            f"{_described(before)}, and has {_described(after) if after else 'none'}",
            "--changed-data goes on all the same (another version of a library may read files otherwise, too)",
        )
    if changed and takes_over:
        folder.commit(environment_file({**environment, "dataset": now}))


def require_same_runs(folder: Folder, runs: Mapping[str, str]) -> None:
    """Compare the weights of the runs that components were given (teachers) with those that were there at first.

    Raises:
        InputError: a run has other weights now.
    """
    recorded = folder.read_json(ENVIRONMENT).get("runs", {})
    for path, now in runs.items():
        if recorded.get(path, now) != now:
            raise InputError(
                f"{path} is not the run that {folder.path} was begun with: its weights had sha256 "
                f"{recorded[path][:12]}..., and have {now[:12]}...",
                "a changed teacher makes another training: begin it with zoo run",
            )


def _described(fingerprint: Mapping[str, Any]) -> str:
    return f"{fingerprint['samples']} samples (sha256 {fingerprint['sha256'][:12]}...)"


def keep_failures(folder: Folder, failures: Iterable[Failure]) -> None:
    """Add what listeners have raised to `failures` of environment.json."""
    new = [asdict(failure) for failure in failures]
    if new:
        environment = folder.read_json(ENVIRONMENT)
        environment["failures"] = [*environment.get("failures", []), *new]
        folder.commit(environment_file(environment))


def finish(folder: Folder, results: Results) -> Results:
    """Write results.json, which says that the run is over."""
    results = {"folder": str(folder.path), **results}
    folder.write(RESULTS, json.dumps(results, indent=2).encode())
    return results


def verdicts_of(expect: Mapping[str, Any], figures: Mapping[str, float]) -> dict[str, Any]:
    """For each figure of `[expect]`: its value, its bounds, and whether it is within them."""
    verdicts = {}
    for name, bounds in expect.items():
        value = figures.get(name)
        met = value is not None and bounds.get("min", value) <= value <= bounds.get("max", value)
        verdicts[name] = {"value": value, **bounds, "met": met}
        if value is None and (near := nearest(name, figures)):
            verdicts[name]["nearest"] = near
    return verdicts
