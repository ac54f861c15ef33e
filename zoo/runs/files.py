"""Files that are never seen half-written, and the folder of what is cached."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from zoo.errors import InputError, RunFailed

# The bytes of a file, in pieces: a large one is never put together in memory.
Content = Sequence["bytes | memoryview"]

PIECES_AT_ONCE = 512


def require_writable(folder: Path) -> None:
    """Files can be written into a folder that is there or can be made.

    Raises:
        InputError: something else is in its place, or it may not be written.
    """
    place = next(place for place in (folder, *folder.absolute().parents) if os.path.lexists(place))
    if not place.is_dir():
        raise InputError(f"{folder} cannot be written into: {place} is no folder")
    if not os.access(place, os.W_OK):
        raise InputError(f"{folder} cannot be written into: {place} is read-only")


def cache_folder() -> Path:
    """`$ZOO_CACHE`, else the platform's cache folder."""
    named = os.environ.get("ZOO_CACHE")
    if named:
        return Path(named)
    import platformdirs

    return Path(platformdirs.user_cache_dir("zoo", appauthor=False))


def write_file(file: Path, content: bytes) -> None:
    """Write to a temporary name, flush to disk, rename: a reader sees the old file or the new one."""
    with staged(file) as temporary:
        write_flushed(temporary, [content])


def write_flushed(file: Path, content: Content) -> None:
    """Write pieces one after the other, and force them to disk."""
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644)
    try:
        pieces = [memoryview(piece).cast("B") for piece in content if len(piece)]
        while pieces:
            written = os.writev(handle, pieces[:PIECES_AT_ONCE])
            while pieces and written >= len(pieces[0]):
                written -= len(pieces.pop(0))
            if written:
                pieces[0] = pieces[0][written:]
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def failing_writes(folder: Path) -> Iterator[None]:
    """A run fails where its folder cannot be written: the disk is full, or read-only."""
    try:
        yield
    except OSError as error:
        help = "zoo resume goes on from the last save"
        raise RunFailed(f"cannot write to {folder}: {error.strerror}", help) from error


@contextmanager
def staged(file: Path) -> Iterator[Path]:
    """A temporary name beside `file`, renamed to it at the end, or removed where the body raises."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        os.replace(temporary, file)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def flush(file: Path) -> None:
    """Force a file's bytes, or a folder's names, to disk."""
    handle = os.open(file, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def hash_of(file: Path) -> str:
    """Return the sha256 of a file."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
