"""The folder that a run leaves: several files that change together or not at all, and that are checked when read.

A commit writes every new file under a temporary name and flushes it, then replaces manifest.json, which is the moment
at which the commit counts, then renames. A kill before that moment leaves the old state; a kill after it leaves
temporary files whose hashes the manifest states: readers read those, and `recover` completes the renames.

A run folder may come from a stranger: it is a tree of plain files, or it is refused.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any, TypeVar

from zoo.errors import InputError, RunFailed
from zoo.runs.assets import is_asset
from zoo.runs.files import Content, failing_writes, flush, hash_of, write_file, write_flushed
from zoo.runs.metrics_log import MetricsLog
from zoo.runs.plain_tree import require_plain

MANIFEST = "manifest.json"
WEIGHTS = "weights.safetensors"
RECIPE = "recipe.toml"
METRICS = "metrics.jsonl"
RESULTS = "results.json"
ENVIRONMENT = "environment.json"
REPORT = "report.html"
PICTURES = "pictures"
CHECKPOINT = "checkpoint"
STATE = f"{CHECKPOINT}/state.json"
STATE_TENSORS = f"{CHECKPOINT}/tensors.safetensors"

FILES = (MANIFEST, RECIPE, WEIGHTS, METRICS, RESULTS, ENVIRONMENT, REPORT)
FOLDERS = (CHECKPOINT, PICTURES)

NEXT = ".next"
TEMPORARY = ".tmp"

LOCKS: set[int] = set()  # handles of the folders that this process has locked

T = TypeVar("T")


def _forget_locks() -> None:
    while LOCKS:
        os.close(LOCKS.pop())


os.register_at_fork(after_in_child=_forget_locks)  # or a loader's worker would hold a lock after its parent's kill


class Folder:
    """One run folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = MetricsLog(path / METRICS)

    @classmethod
    def open(cls, path: Path) -> Folder:
        """An existing run folder.

        Raises:
            InputError: it is none.
            RunFailed: its manifest is damaged, or something in it is no plain file.
        """
        folder = cls(path)
        try:
            found = (path / MANIFEST).is_symlink() or (path / MANIFEST).exists()
        except OSError as error:  # the name is too long
            raise InputError(f"cannot read the run folder {path}: {error.strerror}") from error
        if found:
            require_plain(path, FILES, FOLDERS)
        if not found or not folder.has(RECIPE):
            near = [child for child in (path.iterdir() if path.is_dir() else []) if (child / MANIFEST).is_file()]
            help = f"did you mean {max(near, key=lambda child: child.stat().st_mtime)}?" if near else ""
            what = f"has no {MANIFEST} that states a {RECIPE}" if path.is_dir() else "is no folder"
            raise InputError(f"{path} is no run folder: it {what}", help)
        return folder

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep others from writing here; the lock goes with the process.

        Raises:
            InputError: another has the lock.
        """
        handle = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            raise InputError(f"{self.path} is in use: another process is writing to it") from None
        LOCKS.add(handle)
        try:
            yield
        finally:
            if handle in LOCKS:
                LOCKS.remove(handle)
                os.close(handle)

    def is_free(self) -> bool:
        """Whether a run may begin here: all there is was left by one that was killed before its first commit."""
        with os.scandir(self.path) as entries:
            return all(_is_temporary(entry.name) and entry.is_file(follow_symlinks=False) for entry in entries)

    # Files that change together

    def commit(self, files: Mapping[str, Content]) -> None:
        """Replace the named files, all of them or none.

        Raises:
            RunFailed: the disk is full or cannot be written; the folder is as it was.
        """
        manifest = self._manifest()
        folders = {self.path}
        with failing_writes(self.path):
            try:
                with ThreadPoolExecutor(1) as pool:
                    for name, content in files.items():
                        file = self.path / name
                        file.parent.mkdir(exist_ok=True)
                        folders.add(file.parent)
                        hashed = pool.submit(_size_and_hash, content)  # while the disk writes
                        write_flushed(_next(file), content)
                        manifest["files"][name] = hashed.result()
                for folder in folders:
                    flush(folder)
                manifest["sha256"] = _hash_of_entries(manifest["files"])
                write_file(self.path / MANIFEST, json.dumps(manifest, indent=1).encode())
                flush(self.path)  # or a power cut could keep the renames below and lose the manifest's
            except OSError:
                for name in files:
                    _next(self.path / name).unlink(missing_ok=True)
                raise
            for name in files:
                os.replace(_next(self.path / name), self.path / name)
            for folder in folders:
                flush(folder)

    def recover(self) -> None:
        """Complete an interrupted commit and remove what an interrupted write left."""
        for name, stated in self._manifest()["files"].items():
            file = self.path / name
            if _next(file).is_file() and _holds(_next(file), stated):
                os.replace(_next(file), file)
        for folder in (self.path, self.path / CHECKPOINT, self.path / PICTURES):
            for file in folder.iterdir() if folder.is_dir() else ():
                if _is_temporary(file.name):
                    file.unlink()
            if folder.is_dir():
                flush(folder)

    def _manifest(self) -> dict[str, Any]:
        file = self.path / MANIFEST
        if not file.exists():
            return {"files": {}}
        try:
            manifest = json.loads(file.read_bytes())
            if manifest["sha256"] == _hash_of_entries(manifest["files"]) and all(
                _is_confined(name) and isinstance(stated["size"], int) and isinstance(stated["sha256"], str)
                for name, stated in manifest["files"].items()
            ):
                return manifest  # type: ignore[no-any-return]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            pass
        raise RunFailed(f"{file} is damaged: it is not the JSON that zoo writes")

    # Files that are checked

    def has(self, name: str) -> bool:
        return name in self._manifest()["files"]

    def names(self) -> list[str]:
        return list(self._manifest()["files"])

    def read(self, name: str, read: Callable[[Path], T]) -> T:
        """Return what `read` makes of the path of a file whose size and hash are those in the manifest.

        Beside a writer this is the old state or the new one: a file that is replaced meanwhile is read again.

        Raises:
            RunFailed: the file is missing, cut short or changed.
        """
        misses = 0  # in a row, with one manifest: between a commit and its renames a file is missed once
        while misses < 2:
            stated = self._manifest()["files"].get(name)
            if stated is None:
                raise RunFailed(f"{self.path} has no {name}", "the run stopped before it saved one: zoo resume")
            for file in (self.path / name, _next(self.path / name)):
                try:
                    opened = file.open("rb")
                except FileNotFoundError:
                    continue
                with opened:
                    if not _holds(opened, stated):
                        continue
                    try:
                        value = read(file)
                    except Exception:
                        if _is_still(opened, file):
                            raise
                        continue
                    if _is_still(opened, file):
                        return value
            misses = misses + 1 if stated == self._manifest()["files"].get(name) else 0
        raise self._damage(name, stated)

    def _damage(self, name: str, stated: Mapping[str, Any]) -> RunFailed:
        file, help = self.path / name, "restore it, or repeat the run: zoo run on its recipe.toml"
        if not file.exists():
            return RunFailed(f"{file} is missing", help)
        return RunFailed(
            f"{file} is damaged or is another run's: written was sha256 {stated['sha256'][:12]}... of "
            f"{stated['size']} bytes, and it has {hash_of(file)[:12]}... of {file.stat().st_size}",
            help,
        )

    def read_json(self, name: str) -> dict[str, Any]:
        """A checked file's JSON object.

        Raises:
            RunFailed: the file is missing or damaged.
        """
        return self.read(name, _json_object)

    # Assets

    def assets(self) -> dict[str, Any]:
        """The assets by name, checked."""
        names = [name for name in self.names() if is_asset(name)]
        return {name.removesuffix(".json"): self.read(name, _json) for name in names}

    def hash_of(self, name: str) -> str:
        """Return the sha256 that the manifest states of a file."""
        return str(self._manifest()["files"][name]["sha256"])

    def asset_hashes(self) -> dict[str, str]:
        files = self._manifest()["files"]
        return {name.removesuffix(".json"): stated["sha256"] for name, stated in files.items() if is_asset(name)}

    # Files that the manifest does not state

    def reopen(self) -> None:
        """Forget the results: the run is not over any more."""
        (self.path / RESULTS).unlink(missing_ok=True)

    def results(self) -> dict[str, Any] | None:
        """The results of a run that is over.

        Raises:
            RunFailed: results.json is damaged.
        """
        file = self.path / RESULTS
        if not file.exists():
            return None
        results = _json_object(file)
        if not isinstance(results.get("figures"), dict):
            raise RunFailed(f"{file} is damaged: it has no `figures`")
        return results

    def write(self, name: str, content: bytes) -> None:
        with failing_writes(self.path):
            file = self.path / name
            file.parent.mkdir(exist_ok=True)
            write_file(file, content)


def new_folder(recipe: str, base: Path = Path("runs")) -> Path:
    """`runs/<recipe>/<n>/` with the next free number, made here so that two processes never share one."""
    parent = base / recipe
    parent.mkdir(parents=True, exist_ok=True)
    taken = [int(child.name) for child in parent.iterdir() if child.name.isdigit()]
    number = max(taken, default=0) + 1
    while True:
        try:
            (parent / str(number)).mkdir()
            return parent / str(number)
        except FileExistsError:
            number += 1


def _is_confined(name: str) -> bool:
    """Whether a file that a manifest names lies in its folder, under a name that no temporary file has."""
    parts = name.split("/")
    return len(parts) <= 2 and all(part and not part.startswith(".") and "\\" not in part for part in parts)


def _next(file: Path) -> Path:
    return file.with_name(f".{file.name}{NEXT}")


def _is_temporary(name: str) -> bool:
    return name.startswith(".") and name.endswith((NEXT, TEMPORARY))


def _hash_of_entries(files: Mapping[str, Any]) -> str:
    """Guards the manifest itself."""
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def _holds(file: Path | BufferedReader, stated: Mapping[str, Any]) -> bool:
    """Whether a file has the size and the hash that the manifest states."""
    if isinstance(file, Path):
        with file.open("rb") as opened:
            return _holds(opened, stated)
    if os.fstat(file.fileno()).st_size != stated["size"]:
        return False
    return bool(hashlib.file_digest(file, "sha256").hexdigest() == stated["sha256"])


def _is_still(opened: BufferedReader, file: Path) -> bool:
    """Whether a path leads to the file that was opened under it before."""
    try:
        return os.path.samestat(os.fstat(opened.fileno()), file.stat())
    except FileNotFoundError:
        return False


def _size_and_hash(content: Content) -> dict[str, Any]:
    digest = hashlib.sha256()
    for piece in content:
        digest.update(piece)
    return {"size": sum(map(len, content)), "sha256": digest.hexdigest()}


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise RunFailed(f"{file} is damaged: it is no JSON ({type(error).__name__})") from error


def _json_object(file: Path) -> dict[str, Any]:
    value = _json(file)
    if not isinstance(value, dict):
        raise RunFailed(f"{file} is damaged: it is no JSON object")
    return value
