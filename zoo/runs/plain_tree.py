"""A tree of plain files: a folder from a stranger may have links that lead out of it, or pipes that never end."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from zoo.errors import RunFailed


def require_plain(path: Path, files: Iterable[str], folders: Iterable[str]) -> None:
    """Refuse a folder that has anything but files and folders, however deep.

    Args:
        files, folders: names that must be files, or folders, where they are there.

    Raises:
        RunFailed: there is a link, a pipe, a device or a socket, or a file in a folder's place or the other way round.
    """
    waiting = [str(path)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif not entry.is_file(follow_symlinks=False):
                    raise RunFailed(f"{entry.path} is a {_kind(entry)}; a run folder has plain files only")
    for name in files:
        if (path / name).is_dir():
            raise RunFailed(f"{path / name} is a folder, and should be a file")
    for name in folders:
        if (path / name).is_file():
            raise RunFailed(f"{path / name} is a file, and should be a folder")


def _kind(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink():
        return "link"
    return "pipe" if stat.S_ISFIFO(entry.stat(follow_symlinks=False).st_mode) else "device or socket"
