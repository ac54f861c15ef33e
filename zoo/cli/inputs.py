"""What a person names as inputs -> raw inputs, one by one."""

from __future__ import annotations

import glob
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

STDIN = "-"


def raw_inputs(named: Iterable[str], suffixes: Sequence[str]) -> Iterator[str]:
    """Yield each input; `-` stands for the lines of stdin.

    Where inputs are files, a folder stands for those in it whose names end in `suffixes`, and a pattern (`pics/*.jpg`)
    for what it matches, sorted. What stands for nothing is yielded as it is, for the task to say what is wrong.
    """
    for name in named:
        for raw in _lines_of_stdin() if name == STDIN else [name]:
            yield from (_files(raw, tuple(suffixes)) if suffixes else []) or [raw]


def _lines_of_stdin() -> Iterator[str]:
    for line in sys.stdin or ():
        if line.strip():
            yield line.rstrip("\r\n")


def _files(name: str, suffixes: tuple[str, ...]) -> list[str]:
    path = Path(name)
    if path.is_dir():
        return sorted(str(file) for file in path.rglob("*") if file.name.lower().endswith(suffixes) and file.is_file())
    if glob.has_magic(name) and not path.exists():
        return sorted(file for file in glob.glob(name, recursive=True) if Path(file).is_file())
    return []
