"""One-token mistakes in the shipped recipes, each with where a person would point and what was meant.

Tokens are found here by regular expressions, not by the TOML parsers that zoo uses, so that the places are held to
something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from zoo.recipes.check import SUPPLIED
from zoo.recipes.recipe import Recipe
from zoo.recipes.schema import parameters_of
from zoo.recipes.settings import tables_of
from zoo.recipes.wording import choices_of
from zoo.registry.catalog import Catalog
from zoo.registry.component import KINDS

STRING = r'"(?:\\.|[^"\\\n])*"'
BARE = r"[A-Za-z0-9_-]+"
NUMBER = re.compile(r"[+-]?\d[\d_]*(\.\d+)?([eE][+-]?\d+)?")
SPACE = re.compile(r"(?:\s|#[^\n]*)*")
KEY = re.compile(rf"{STRING}|{BARE}")
FREE = ("summary", "from", "skip", "into", "folder", "root", "params", "freeze")  # strings without names to choose from


class Token(NamedTuple):
    """A key or a plain value of a recipe: where it stands, and the keys that lead to it."""

    kind: str
    path: tuple[str, ...]
    start: int
    text: str


class Mutant(NamedTuple):
    """A recipe's text with one token changed.

    `start` and `text` are of the changed token; `suggestion` is what should be suggested, or "" where nothing need be;
    `kind` names the sort of the mistake.
    """

    kind: str
    recipe: str
    whole: str
    start: int
    text: str
    suggestion: str


def tokens(text: str) -> Iterator[Token]:
    """Keys, headers' keys and plain values in the order of the text."""
    place, table = 0, ()
    while (place := SPACE.match(text, place).end()) < len(text):
        if text[place] == "[":
            place += 2 if text[place + 1] == "[" else 1
            table = ()
            while text[place] != "]":
                key = KEY.match(text, place)
                table = (*table, *_parts(key[0]))
                yield Token("key", table, key.start(), key[0])
                place = key.end() + (text[key.end()] == ".")
            place = text.index("\n", place)
        else:
            pair = _Pair(text, place, table)
            yield from pair
            place = pair.end


class _Pair:
    """The tokens of `key = value`, and where it ends."""

    def __init__(self, text: str, place: int, table: tuple[str, ...]) -> None:
        self.text, self.place, self.table, self.end = text, place, table, place

    def __iter__(self) -> Iterator[Token]:
        key = KEY.match(self.text, self.place)
        path = (*self.table, *_parts(key[0]))
        yield Token("key", path, key.start(), key[0])
        equals = re.compile(r"\s*=\s*").match(self.text, key.end())
        yield from self._value(equals.end(), path)

    def _value(self, place: int, path: tuple[str, ...]) -> Iterator[Token]:
        opening = self.text[place]
        if opening not in "[{":
            value = re.compile(rf"{STRING}|[^\s,\]}}#]+").match(self.text, place)
            yield Token("value", path, place, value[0])
            self.end = value.end()
            return
        place = SPACE.match(self.text, place + 1).end()
        while self.text[place] not in "]}":
            if opening == "{":
                pair = _Pair(self.text, place, path)
                yield from pair
                self.end = pair.end
            else:
                yield from self._value(place, path)
            place = SPACE.match(self.text, self.end).end()
            place = SPACE.match(self.text, place + (self.text[place] == ",")).end()
        self.end = place + 1


def _parts(key: str) -> tuple[str, ...]:
    return tuple(key.strip('"').split(".")) if "/" not in key and "*" not in key else (key.strip('"'),)


def mutants(name: str, text: str, merged: Recipe, catalog: Catalog) -> Iterator[Mutant]:
    """Every mistake of these sorts in a recipe; `merged` is the recipe with its parents and `[quick]`."""
    for token in tokens(text):
        for kind, changed, suggestion in _changes(token, merged, catalog):
            whole = text[: token.start] + changed + text[token.start + len(token.text) :]
            yield Mutant(kind, name, whole, token.start, changed, suggestion)


def _changes(token: Token, merged: Recipe, catalog: Catalog) -> Iterator[tuple[str, str, str]]:
    """The sort of a mistake, the changed token, and the suggestion."""
    path = token.path[1:] if token.path[0] == "quick" and len(token.path) > 1 else token.path
    over = path[:2] == ("sweep", "over") and len(path) > 2
    path = path[2:] if over else path
    if token.kind == "key":
        if path[:2] != ("train", "initialize") or len(path) == 2:
            meant = path[-1] if path[-1] != "from_" else "from"
            for changed in _misspelt(meant) if "/loss_" not in meant else ():
                yield "misspelt key", _replaced(token.text, meant, changed), meant
        if token.text.startswith('"'):
            yield "key without a quote", token.text[:-1], ""
            yield "key without a quote", token.text[1:], ""
        return
    if token.text.startswith('"'):
        meant = token.text.strip('"')
        if _is_named(path, meant, merged, catalog) and "/loss_" not in meant:
            for changed in _misspelt(meant.rpartition("/")[2]):
                prefix = meant[: len(meant) - len(meant.rpartition("/")[2])]
                yield "misspelt value", f'"{prefix}{changed}"', meant
        yield "wrong type", "3", ""
        yield "wrong type", "1979-05-27", ""
        yield "value without a quote", token.text[:-1], ""
        yield "value without a quote", token.text[1:], ""
    elif token.text in ("true", "false"):
        yield "wrong type", "3", ""
        yield "wrong type", '"yes"', ""
        yield "no literal", token.text[:-1], ""
    elif NUMBER.fullmatch(token.text):
        yield "wrong type", '"x"', ""
        yield "wrong type", "true", ""
        yield "wrong type", "nan", ""
        yield "no literal", token.text + "x", ""
        yield "no literal", token.text + ".1.2", ""


def _misspelt(name: str) -> Iterator[str]:
    """A letter twice, and two letters in each other's place; a name of one letter has only the first."""
    middle = len(name) // 2
    yield name[:middle] + name[middle] + name[middle:]
    if len(name) > 3 and name[middle - 1] != name[middle]:
        yield name[: middle - 1] + name[middle] + name[middle - 1] + name[middle + 1 :]


def _replaced(text: str, old: str, new: str) -> str:
    start = text.rindex(old)
    return text[:start] + new + text[start + len(old) :]


def _is_named(path: tuple[str, ...], value: str, merged: Recipe, catalog: Catalog) -> bool:
    """Whether a string is one of several names that zoo knows: a component, a choice, a figure, a parent."""
    if path[-1] in (*KINDS, "name", "metrics", "extends", "monitor", "figure"):
        return True
    return value in choices_of(_type(path, merged, catalog))


def _type(path: tuple[str, ...], merged: Recipe, catalog: Catalog) -> Any:
    """What the setting or the component's parameter at these keys takes."""
    if path[0] in (tables := tables_of(catalog.plugins)):
        parameters = parameters_of(tables[path[0]])
    elif path[0] in KINDS and isinstance(merged.table.get(path[0]), dict):
        component = catalog.get(path[0], merged.table[path[0]]["name"])
        parameters = parameters_of(component.load(), SUPPLIED.get(path[0], ()))
    else:
        return Any
    return parameters[path[1]].type if len(path) == 2 and path[1] in parameters else Any
