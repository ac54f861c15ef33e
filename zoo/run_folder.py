"""The folder that a run leaves: several files that change together or not at all, and that are checked when read.

A commit writes every new file under a temporary name and flushes it, then replaces manifest.json, which is the moment
at which the commit counts, then renames. A kill before that moment leaves the old state; a kill after it leaves
temporary files whose hashes the manifest states: readers read those, and `recover` completes the renames.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from zoo.errors import InputError, RunFailed
from zoo.files import Content, flush, write_file, write_flushed

MANIFEST = "manifest.json"
WEIGHTS = "weights.safetensors"
RECIPE = "recipe.toml"
METRICS = "metrics.jsonl"
RESULTS = "results.json"
ENVIRONMENT = "environment.json"
PICTURES = "pictures"
STATE = "checkpoint/state.json"
STATE_TENSORS = "checkpoint/tensors.safetensors"

NEXT = ".next"
TEMPORARY = ".tmp"

LOCKS: set[int] = set()  # handles of the folders that this process has locked


def _forget_locks() -> None:
    while LOCKS:
        os.close(LOCKS.pop())


os.register_at_fork(after_in_child=_forget_locks)  # or a loader's worker would hold a lock after its parent's kill


class Folder:
    """One run folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def open(cls, path: Path) -> Folder:
        """An existing run folder.

        Raises:
            InputError: it is none.
        """
        folder = cls(path)
        try:
            complete = (path / RECIPE).is_file() and (path / MANIFEST).is_file()
        except OSError as error:  # the name is too long
            raise InputError(f"cannot read the run folder {path}: {error.strerror}") from error
        if not complete:
            near = [child for child in (path.iterdir() if path.is_dir() else []) if (child / MANIFEST).is_file()]
            help = f"did you mean {max(near, key=lambda child: child.stat().st_mtime)}?" if near else ""
            what = "has no recipe.toml and manifest.json" if path.is_dir() else "is no folder"
            raise InputError(f"{path} is no run folder: it {what}", help)
        return folder

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep others from writing here; the lock goes with the process.

        Raises:
            InputError: another has the lock.
        """
        handle = os.open(self.path, os.O_RDONLY)
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
        """Whether a run may begin here: all there is was left by one that was killed before it had its recipe.toml."""
        known = {MANIFEST, ENVIRONMENT, *self.names()} if (self.path / MANIFEST).exists() else set()
        return all(child.name in known or _is_temporary(child) for child in self.path.iterdir())

    # Files that change together

    def commit(self, files: Mapping[str, Content]) -> None:
        """Replace the named files, all of them or none.

        Raises:
            RunFailed: the disk is full or cannot be written; the folder is as it was.
        """
        manifest = self._manifest()
        folders = {self.path}
        with self._failed_writes():
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
            if _matches(_next(file), stated):
                os.replace(_next(file), file)
        for folder in (self.path, self.path / "checkpoint", self.path / PICTURES):
            for file in folder.iterdir() if folder.is_dir() else ():
                if _is_temporary(file):
                    file.unlink()
            if folder.is_dir():
                flush(folder)

    def _manifest(self) -> dict[str, Any]:
        file = self.path / MANIFEST
        if not file.exists():
            return {"files": {}}
        try:
            manifest = json.loads(file.read_bytes())
            if manifest["sha256"] == _hash_of_entries(manifest["files"]):
                return manifest  # type: ignore[no-any-return]
        except (ValueError, KeyError, TypeError, AttributeError):
            pass
        raise RunFailed(f"{file} is damaged: it is not the JSON that zoo writes")

    # Files that are checked

    def has(self, name: str) -> bool:
        return name in self._manifest()["files"]

    def names(self) -> list[str]:
        return list(self._manifest()["files"])

    def checked(self, name: str) -> Path:
        """The path of a file whose size and hash are those in the manifest.

        Raises:
            RunFailed: the file is missing, cut short or changed.
        """
        stated = self._manifest()["files"].get(name)
        if stated is None:
            raise RunFailed(f"{self.path} has no {name}", "the run stopped before it saved one: zoo resume")
        file = self.path / name
        if _matches(file, stated):
            return file
        if _matches(_next(file), stated):
            return _next(file)
        if not file.exists():
            raise RunFailed(f"{file} is missing", "restore it, or repeat the run: zoo run on its recipe.toml")
        raise RunFailed(
            f"{file} is damaged or is another run's: written was sha256 {stated['sha256'][:12]}... of "
            f"{stated['size']} bytes, and it has {_sha256(file)[:12]}... of {file.stat().st_size}",
            "restore it, or repeat the run: zoo run on its recipe.toml",
        )

    # Assets

    def assets(self) -> dict[str, Any]:
        """The assets by name, checked."""
        names = [name for name in self.names() if name.endswith(".json") and "/" not in name]
        return {name.removesuffix(".json"): json.loads(self.checked(name).read_bytes()) for name in names}

    def asset_hashes(self) -> dict[str, str]:
        files = self._manifest()["files"]
        return {name.removesuffix(".json"): stated["sha256"] for name, stated in files.items() if _is_asset(name)}

    # Files that only grow or are written once

    def append_metrics(self, event: Mapping[str, Any]) -> None:
        """One line, in one write."""
        with self._failed_writes(), (self.path / METRICS).open("ab", buffering=0) as file:
            file.write(json.dumps(event).encode() + b"\n")

    def metrics_size(self) -> int:
        file = self.path / METRICS
        return file.stat().st_size if file.exists() else 0

    def cut_metrics(self, size: int) -> None:
        """Forget the lines after the checkpoint: they are about to be written again."""
        file = self.path / METRICS
        if file.exists() and file.stat().st_size > size:
            os.truncate(file, size)

    def metrics(self) -> list[dict[str, Any]]:
        file = self.path / METRICS
        if not file.exists():
            return []
        return [json.loads(line) for line in file.read_bytes().split(b"\n")[:-1]]

    def write_json(self, name: str, value: Any) -> None:
        self.write(name, json.dumps(value, indent=2).encode())

    def write(self, name: str, content: bytes) -> None:
        """A file that the manifest does not state."""
        with self._failed_writes():
            file = self.path / name
            file.parent.mkdir(exist_ok=True)
            write_file(file, content)

    @contextmanager
    def _failed_writes(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise RunFailed(
                f"cannot write to {self.path}: {error.strerror}", "zoo resume goes on from the last save"
            ) from error


def asset_files(assets: Mapping[str, Any]) -> dict[str, Content]:
    """Assets as files of a commit."""
    return {f"{name}.json": [encode_asset(value)] for name, value in assets.items()}


def encode_asset(value: Any) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=False, sort_keys=isinstance(value, dict)).encode()


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


def _is_asset(name: str) -> bool:
    return name.endswith(".json") and "/" not in name


def _next(file: Path) -> Path:
    return file.with_name(f".{file.name}{NEXT}")


def _is_temporary(file: Path) -> bool:
    return file.name.startswith(".") and file.name.endswith((NEXT, TEMPORARY))


def _hash_of_entries(files: Mapping[str, Any]) -> str:
    """Guards the manifest itself."""
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def _matches(file: Path, stated: Mapping[str, Any]) -> bool:
    if not file.is_file() or file.stat().st_size != stated["size"]:
        return False
    return _sha256(file) == stated["sha256"]  # type: ignore[no-any-return]


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _size_and_hash(content: Content) -> dict[str, Any]:
    digest = hashlib.sha256()
    for piece in content:
        digest.update(piece)
    return {"size": sum(map(len, content)), "sha256": digest.hexdigest()}
