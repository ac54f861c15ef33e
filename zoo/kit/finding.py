"""Where data sets are found, fetched and cached."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import InputError
from zoo.runs.files import cache_folder, write_file

if TYPE_CHECKING:
    import torch


def find_data(
    name: str,
    root: str | Path | None = None,
    *,
    url: str | None = None,
    hash: str | None = None,
    files: Mapping[str, str] | None = None,
    places: Sequence[str] = (),
    help: str = "",
) -> Path:
    """The folder of a data set: `root`, `$ZOO_DATA/<name>`, the cache or one of `places`; else fetched from `url`.

    With `$ZOO_OFFLINE` nothing is fetched.

    Args:
        name: the folder's name under `$ZOO_DATA` and in the cache.
        root: the folder itself, as a recipe gives it.
        url: an archive (zip or tar) to fetch and unpack into the cache; or, with `files`, the folder they are in.
        hash: `"sha1:..."` or `"sha256:..."` of that archive; a file that differs is refused.
        files: names below `url` and the hash of each, where there is no archive.
        places: further folders, where a system's package puts it.
        help: for the error, how a person gets the data.

    Raises:
        InputError: `root` is not a folder, `name` leads elsewhere, or nothing was found and nothing can be fetched.
    """
    if root is not None:
        if Path(root).is_dir():
            return Path(root)
        raise InputError(f"data set `{name}`: `root` is `{root}`, and there is no such folder", help)
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise InputError(f"`{name}` is no name of a folder under $ZOO_DATA", "`root` may be any folder")
    candidates = [cache_folder() / name]
    if os.environ.get("ZOO_DATA"):
        candidates.insert(0, Path(os.environ["ZOO_DATA"]) / name)
    candidates += map(Path, places)
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    if url is None or os.environ.get("ZOO_OFFLINE"):
        looked = " or ".join(f"`{candidate}`" for candidate in candidates)
        raise InputError(f"data set `{name}` is not at hand: no folder {looked}", help)
    folder = cache_folder() / name
    partial = folder.with_name(f".{name}.{os.getpid()}")
    if files:
        fetched = [_fetched(name, url + file, known, help) for file, known in files.items()]
        partial.mkdir()
        for file in fetched:
            shutil.copy(file, partial)
    else:
        archive = _fetched(name, url, hash, help)
        shutil.unpack_archive(archive, partial, **_safe_members(archive.name))
    try:
        partial.rename(folder)
    except OSError:  # another process was first
        shutil.rmtree(partial)
    return folder


def _fetched(name: str, url: str, hash: str | None, help: str) -> Path:
    """A file in the cache, fetched where it is not there yet."""
    import pooch

    file = url.rsplit("/", 1)[-1]
    downloads = cache_folder() / "downloads"
    try:
        return Path(pooch.retrieve(url, known_hash=hash, fname=file, path=downloads))
    except ValueError as error:
        raise InputError(f"data set `{name}`: {url} is not the file it should be ({error})") from error
    except Exception as error:
        raise InputError(
            f"data set `{name}` could not be fetched from {url} ({type(error).__name__})",
            help
            or f"get {file} ({hash}) by other means and put it into `{downloads}`, or unpack it into "
            f"`{cache_folder() / name}`",
        ) from error


def _safe_members(file: str) -> dict[str, Any]:
    """A tar archive may name members outside its folder; zip archives are safe in `shutil`."""
    return {} if file.endswith(".zip") else {"filter": "data"}


def cached_tensors(key: str, make: Callable[[], dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """The tensors that `make` returns, kept in the cache as safetensors under `key`.

    The key must name everything the tensors depend on, a version of the code that makes them included.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file, save

    file = cache_folder() / "tensors" / f"{key}.safetensors"
    if file.exists():
        try:
            return load_file(file)
        except SafetensorError:
            pass  # cut short by a full disk, say: made anew
    tensors = make()
    file.parent.mkdir(parents=True, exist_ok=True)
    write_file(file, save(tensors))
    return tensors
