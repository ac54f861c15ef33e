"""What can go wrong, by who has to act. The command line turns each into one message and an exit status."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

# Control characters, what turns the direction of writing, what ends a line, and halves of characters.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class ZooError(Exception):
    """Base of all errors meant for a person: `message` says what and where, `help` what to do next."""

    exit_status = 3

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.help = help

    def __str__(self) -> str:
        return f"{plain(self.message)}\n  help: {plain(self.help)}" if self.help else plain(self.message)


class InputError(ZooError):
    """The user's input is wrong: recipe, arguments, files."""

    exit_status = 2


class RunFailed(ZooError):
    """The run could not go on: the loss is not finite, memory or disk ran out, a saved file is damaged."""

    exit_status = 3


class PluginFailed(ZooError):
    """The code of a plugin raised; the message names component and plugin."""

    exit_status = 4


class ExpectationMissed(ZooError):
    """A figure in `[expect]` was missed."""

    exit_status = 1


class Stopped(ZooError):
    """A signal asked for a stop; the checkpoint is complete and `zoo resume` goes on from it."""

    exit_status = 75


def nearest(name: str, valid: Iterable[str]) -> str | None:
    """The valid name that `name` most likely stands for, or None. Case and `-`/`_` are not held against it."""
    by_folded = {_fold(candidate): candidate for candidate in valid}
    found = difflib.get_close_matches(_fold(name), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def _fold(name: str) -> str:
    return name.lower().replace("-", "_")


def plain(text: str, keep: str = "") -> str:
    """A text that does nothing to a terminal, on one line: control characters are escaped as in a Python string.

    Args:
        keep: those that stay as they are.
    """
    return _UNSAFE.sub(lambda match: match[0] if match[0] in keep else repr(match[0])[1:-1], text)
