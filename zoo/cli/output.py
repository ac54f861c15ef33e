"""How commands print: results to stdout, everything else to stderr; nothing of it does anything to a terminal."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from zoo.errors import RunFailed, ZooError, plain

# What JSON leaves as it is and `plain` does not.
_UNSAFE_IN_JSON = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def ready_streams() -> None:
    """Give a closed stdout or stderr somewhere to go, and a character that a terminal lacks an escape."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as stderr is from the start
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")  # as arguments are: a path is bytes


def print_text(text: str) -> None:
    """Print lines to stdout."""
    _print(plain(text, keep="\n\t"))


def print_json(value: Any, indent: int | None = 2) -> None:
    unicode = sys.stdout.encoding.lower().startswith("utf")
    text = json.dumps(value, indent=indent, ensure_ascii=not unicode, allow_nan=True)
    _print(_UNSAFE_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", text))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print aligned columns. A table library would take longer to import than all of `zoo list` takes."""
    lines = [[plain(cell) for cell in row] for row in (columns, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(columns))]
    texts = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        texts[0] = f"\x1b[1m{texts[0]}\x1b[0m"
    _print("\n".join(texts))


def say(message: str) -> None:
    """Print one line to stderr, on a terminal in place of a status."""
    _write_stderr(("\r\x1b[K" if sys.stderr.isatty() else "") + plain(message) + "\n")


def print_error(error: ZooError) -> None:
    """Print what is wrong, and what to do, to stderr."""
    text = str(error)
    for line in (text if text.startswith("error[") else f"error: {text}").split("\n"):
        say(line)


class Said(logging.Handler):
    """Prints what the core logs: one line each; on a terminal, what is being prepared is a status that goes again."""

    def __init__(self) -> None:
        super().__init__()
        self.said: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if record.levelno >= logging.WARNING:
            say(message)
        elif sys.stderr.isatty():
            show_status(f"{message} ...")
        elif message not in self.said:  # the data set of a run is prepared again for its report
            self.said.add(message)
            say(message)


def show_status(status: str) -> None:
    """Show a line on a terminal until the next status or message takes its place."""
    _write_stderr(f"\r{plain(status)}\x1b[K")


def _write_stderr(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:  # nobody reads it any more; a run goes on all the same
        _abandon(sys.stderr)


def _print(text: str) -> None:
    try:
        print(text, flush=True)
    except BrokenPipeError:  # its reader has what it wanted, as `head` has
        _abandon(sys.stdout)
        raise SystemExit(0) from None
    except OSError as error:
        _abandon(sys.stdout)
        raise RunFailed(f"the results cannot be written: {error.strerror}") from error


def _abandon(stream: TextIO) -> None:
    """Send to nowhere what is left in a stream's buffer, and what follows."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
