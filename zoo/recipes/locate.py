"""Keys -> line and column in a TOML text, and an error message drawn on its line. Used only when there is an error."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from zoo.errors import InputError, plain
from zoo.recipes.recipe import Recipe
from zoo.recipes.schema import Mistake
from zoo.recipes.source import COMMAND_LINE, TOKENS, Keys, MergeError, Origin, RecipeSyntaxError, Source


@dataclass(frozen=True)
class Problem:
    """A mistake with its place. Lines and columns count characters from 1; line 0 means the file as a whole."""

    file: str
    line: int
    column: int
    code: str
    message: str
    suggestion: str | None = None
    help: str = ""
    width: int = 1
    source_line: str = ""

    def as_json(self) -> dict[str, Any]:
        fields = ("file", "line", "column", "code", "message", "suggestion")
        return {name: getattr(self, name) for name in fields}

    def __str__(self) -> str:
        lines = [f"error[{self.code}]: {plain(self.message)}"]
        lines.append(f"  --> {plain(self.file)}" + (f":{self.line}:{self.column}" if self.line else ""))
        hint = f"did you mean `{plain(self.suggestion)}`?" if self.suggestion else ""
        if self.line:
            shown, offset = _clipped(self.source_line, self.column - 1)
            width = max(1, min(self.width, len(shown) - offset))
            lines.append(f"   | {plain(shown)}")
            lines.append(f"   | {' ' * offset}{'^' * width} {hint}".rstrip())
        elif hint:
            lines.append(f"   = {hint}")
        if self.help:
            lines.append(f"  help: {plain(self.help)}")
        return "\n".join(lines)


class RecipeError(InputError):
    """All that is wrong with a recipe, at once."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n\n".join(map(str, problems)))
        self.problems = problems

    def __str__(self) -> str:
        return self.message  # of several lines, each as a problem shows it


def locate(recipe: Recipe, mistake: Mistake, help: str = "") -> Problem:
    """Give a mistake its place in the text that it was written in."""
    origin = recipe.origin(mistake.path)
    if origin is None:
        return Problem(recipe.name, 0, 0, mistake.code, mistake.message, mistake.suggestion, help)
    return _at(origin, mistake, help)


def locate_error(error: RecipeSyntaxError | MergeError) -> Problem:
    """The place of what keeps a recipe from being read."""
    if isinstance(error, MergeError):
        return _at(error.origin, error.mistake, error.help)
    text, message = error.source.text, error.message
    offset = sum(len(line) + 1 for line in text.split("\n")[: error.line - 1]) + error.column - 1
    start, end = _token(text, offset, message)
    if text[start:end].startswith(("'", '"')) and "\n" in text[start : offset + 1]:
        message = "this string does not end"
    end = min(end, text.find("\n", start) % (len(text) + 1))
    line, column = text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)
    shown = text.split("\n")[line - 1].rstrip("\r")
    return Problem(error.source.name, line, column, "syntax", message, width=max(1, end - start), source_line=shown)


def _token(text: str, offset: int, message: str) -> tuple[int, int]:
    """Start and end of what a person would point at, given where tomli gave up.

    It notices a string or an array that does not end at the end of a line or of the text, a missing quote where the
    next string begins, and a key written twice behind its second value.
    """
    opened: list[int] = []
    for token in TOKENS.finditer(text):
        if token.start() >= offset:
            break
        if token[0] in UNENDED:
            return token.start(), len(text)
        if token[0] in ("[", "{"):
            opened.append(token.start())
        elif token[0] in ("]", "}") and opened:
            opened.pop()
        elif token.end() == offset:
            return token.start(), offset
    if message.startswith("unclosed") and opened and "\n" in text[opened[-1] : offset]:
        return opened[-1], len(text)
    if message.startswith("cannot overwrite"):
        line = text.rfind("\n", 0, offset) + 1
        offset = line + len(text[line:offset]) - len(text[line:offset].lstrip(" \t["))
    start = end = offset
    while start > 0 and text[start - 1] not in DELIMITERS:
        start -= 1
    while end < len(text) and text[end] not in DELIMITERS:
        end += 1
    return start, end


UNENDED = ("'", '"', "'''", '"""')  # a quote that TOKENS finds by itself
DELIMITERS = " \t\r\n=,[]{}#"


def _at(origin: Origin, mistake: Mistake, help: str) -> Problem:
    file, text = origin.source.name, origin.source.text
    if file == COMMAND_LINE:
        column, width = _in_override(text, origin.keys, mistake.at)
        return Problem(file, 1, column, mistake.code, mistake.message, mistake.suggestion, help, width, text)
    line, column, width = position(origin.source, origin.keys, mistake.at)
    shown = text.split("\n")[line - 1].rstrip("\r") if line else ""
    return Problem(file, line, column, mistake.code, mistake.message, mistake.suggestion, help, width, shown)


def _in_override(text: str, keys: Keys, at: Literal["key", "value"]) -> tuple[int, int]:
    """Column and width of what a mistake in `KEY=VALUE` is about: the key, the value, or a part of the value."""
    key, _, written = text.partition("=")
    inner = keys[len(key.strip().split(".")) :]
    if inner and (places := _places(f"x={written}").get(("x", *inner))):
        line, column, width = places[0] if at == "key" or places[1] is None else places[1]
        if line == 1:
            return len(key) + column - 1, width
    return (1, len(key)) if at == "key" else (len(key) + 2, max(1, len(written)))


def position(source: Source, keys: Keys, at: Literal["key", "value"]) -> tuple[int, int, int]:
    """Line, column and width of the key or the value at `keys`, or of the nearest table around it."""
    places = _places(source.text)
    for length in range(len(keys), 0, -1):
        found = places.get(keys[:length])
        if found is not None:
            key, value = found
            return value if at == "value" and value is not None and length == len(keys) else key
    return (1, 1, 1) if source.text else (0, 0, 0)


Place = tuple[int, int, int]


@lru_cache(maxsize=8)
def _places(text: str) -> dict[Keys, tuple[Place, Place | None]]:
    import tree_sitter
    import tree_sitter_toml

    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_toml.language()))
    encoded = text.encode()
    lines = encoded.split(b"\n")
    places: dict[Keys, tuple[Place, Place | None]] = {}
    array_sizes: dict[Keys, int] = {}

    def place(node: Any) -> Place:
        row, column = node.start_point
        characters = len(lines[row][:column].decode())
        end = node.end_point[1] if node.end_point[0] == row else len(lines[row].rstrip(b"\r"))
        return row + 1, characters + 1, max(1, len(lines[row][column:end].decode()))

    def add_pairs(node: Any, prefix: Keys) -> None:
        for child in node.named_children:
            if child.type == "pair":
                add_pair(child, prefix)

    def add_pair(node: Any, prefix: Keys) -> None:
        key, value = node.named_children[:2]  # a comment may be the third
        parts = _key_parts(key)
        for length, (part, _) in enumerate(parts[:-1], 1):
            places.setdefault(prefix + _names(parts[:length]), (place(part), place(value)))
        add_value(prefix + _names(parts), place(parts[-1][0]), value)

    def add_value(keys: Keys, key: Place, value: Any) -> None:
        places[keys] = (key, place(value))
        if value.type == "inline_table":
            add_pairs(value, keys)
        elif value.type == "array":
            elements = [child for child in value.named_children if child.type != "comment"]
            for index, element in enumerate(elements):
                add_value((*keys, index), place(element), element)

    for node in parser.parse(encoded).root_node.named_children:
        if node.type == "pair":
            add_pair(node, ())
        elif node.type in ("table", "table_array_element"):
            parts = _key_parts(node.named_children[0])
            keys = _names(parts)
            for length, (part, _) in enumerate(parts, 1):
                places.setdefault(keys[:length], (place(part), None))
            if node.type == "table_array_element":
                index = array_sizes.get(keys, 0)
                array_sizes[keys] = index + 1
                keys = (*keys, index)
            places[keys] = (place(parts[-1][0]), None)
            add_pairs(node, keys)
    return places


def _key_parts(node: Any) -> list[tuple[Any, str]]:
    """The parts of a key, `a` and `b` of `a.b`: each with its node."""
    if node.type == "dotted_key":
        return [part for child in node.named_children for part in _key_parts(child)]
    text = node.text.decode()
    if node.type != "quoted_key":
        return [(node, text)]
    import tomli

    return [(node, name) for name in tomli.loads(f"{text} = 0")]  # escapes too


def _names(parts: list[tuple[Any, str]]) -> Keys:
    return tuple(name for _, name in parts)


def _clipped(line: str, offset: int, limit: int = 160) -> tuple[str, int]:
    """A line short enough to show, with its tabs as wide as the caret's blanks."""
    line = line.replace("\t", " ")
    if len(line) <= limit:
        return line, offset
    start = max(0, min(offset - 20, len(line) - limit))
    return line[start : start + limit], offset - start
