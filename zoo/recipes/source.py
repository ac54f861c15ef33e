"""The text of a recipe: read, parsed, held to limits; and where in it a value was written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import InputError
from zoo.recipes.schema import Mistake

Keys = tuple[str | int, ...]

MAX_BYTES = 1_000_000
MAX_DEPTH = 12
MAX_VALUES = 5_000
COMMAND_LINE = "command line"
TOO_LARGE = "this integer needs more than 64 bits"
TOO_DEEP = f"this is nested deeper than {MAX_DEPTH} levels"

# Strings, comments and brackets of a TOML text; a quote by itself opens a string that does not end.
TOKENS = re.compile(
    r'''"""(?:\\.|[^\\])*?"""|"(?:\\.|[^"\\\n])*"(?!")|""(?!")|'{3}.*?'{3}|'[^'\n]*'|#[^\n]*|"""|'{3}|["'\[\]{}]''',
    re.DOTALL,
)


@dataclass(frozen=True)
class Source:
    """A text that values come from: a recipe file, or one override on the command line."""

    name: str
    text: str


@dataclass(frozen=True)
class Origin:
    """The place where a value was written: the source, and the keys that lead to it there."""

    source: Source
    keys: Keys


class RecipeSyntaxError(InputError):
    """A text that is no TOML, at a line and column counted in characters from 1."""

    def __init__(self, source: Source, line: int, column: int, message: str) -> None:
        super().__init__(message)
        self.source, self.line, self.column = source, line, column


class MergeError(InputError):
    """A value that recipes cannot be merged with: a parent that is not there, a key inside what is no table."""

    def __init__(self, origin: Origin, mistake: Mistake, help: str = "") -> None:
        super().__init__(mistake.message, help)
        self.origin, self.mistake = origin, mistake


def read_source(file: Path) -> Source:
    """The text of a file.

    Raises:
        RecipeSyntaxError: it is not UTF-8.
        InputError: it cannot be read, or is too large for a recipe.
    """
    try:
        size = file.stat().st_size
        content = file.read_bytes() if size <= MAX_BYTES else b""
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}") from error
    if size > MAX_BYTES:
        raise InputError(f"{file} has {size:,} bytes; a recipe has at most {MAX_BYTES:,}")
    try:
        return Source(str(file), content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        source = Source(str(file), content.decode("utf-8-sig", "replace"))
        offset = len(error.object[: error.start].decode())
        raise RecipeSyntaxError(source, *_line_and_column(source.text, offset), "this byte is not UTF-8") from error


def parse(source: Source) -> dict[str, Any]:
    """The table that a text holds.

    Raises:
        RecipeSyntaxError: it is no TOML, is nested too deep, or holds too many values.
        MergeError: an integer is too large.
    """
    import tomli

    try:
        table = tomli.loads(source.text)
    except tomli.TOMLDecodeError as error:
        message = error.msg[:1].lower() + error.msg[1:]
        raise RecipeSyntaxError(source, error.lineno, error.colno, message) from error
    except RecursionError as error:
        raise RecipeSyntaxError(source, *(_deep_value(source.text) or (1, 1)), TOO_DEEP) from error
    except ValueError as error:  # Python refuses to read an integer of thousands of digits
        digits = re.search(r"[+-]?\d[\d_]{4000,}", source.text)
        place = _line_and_column(source.text, digits.start() if digits else 0)
        raise RecipeSyntaxError(source, *place, TOO_LARGE) from error
    _check_limits(table, source)
    return table


def _line_and_column(text: str, offset: int) -> tuple[int, int]:
    before = text[:offset]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _check_limits(table: dict[str, Any], source: Source) -> None:
    """Refuse what is nested deeper than MAX_DEPTH, more than MAX_VALUES, and integers that TOML has no room for.

    No recursion, since the depth is the user's; in the order of the text, so that the first value too many is named.
    """
    waiting: list[tuple[Any, Keys]] = [(table, ())]
    too_large: list[Keys] = []
    count = 0
    while waiting:
        value, keys = waiting.pop()
        count += 1
        if count > MAX_VALUES:
            mistake = Mistake("too-many", f"a recipe has at most {MAX_VALUES:,} values; this is one more", keys)
            raise MergeError(Origin(source, keys), mistake)
        if len(keys) > MAX_DEPTH:
            if place := _deep_value(source.text):
                raise RecipeSyntaxError(source, *place, TOO_DEEP)
            raise MergeError(Origin(source, keys), Mistake("too-deep", TOO_DEEP, keys, "key"))
        if isinstance(value, dict):
            waiting += [(child, (*keys, key)) for key, child in reversed(value.items())]
        elif isinstance(value, list):
            waiting += [(child, (*keys, index)) for index, child in reversed(list(enumerate(value)))]
        elif isinstance(value, int) and not -(2**63) <= value < 2**63:
            too_large.append(keys)
    for keys in too_large:
        raise MergeError(Origin(source, keys), Mistake("wrong-value", TOO_LARGE, keys))


def _deep_value(text: str) -> tuple[int, int] | None:
    """Return where the value begins whose brackets are nested too deep, or None: keys may be too deep as well."""
    opened: list[int] = []
    for token in TOKENS.finditer(text):
        if token[0] in ("[", "{"):
            opened.append(token.start())
        elif token[0] in ("]", "}") and opened:
            opened.pop()
        if len(opened) > MAX_DEPTH:
            return _line_and_column(text, opened[0])
    return None
