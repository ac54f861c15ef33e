"""Types and values in the words of a recipe's author."""

from __future__ import annotations

import collections.abc
import json
import math
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Union


def is_union(annotation: Any) -> bool:
    """Whether an annotation is `A | B`, however it is written."""
    return typing.get_origin(annotation) in (Union, types.UnionType)


def choices_of(type_: Any) -> list[str]:
    """The strings that a type lists."""
    if typing.get_origin(type_) is Literal:
        return [choice for choice in typing.get_args(type_) if isinstance(choice, str)]
    if is_union(type_) or typing.get_origin(type_) is Annotated:
        return [choice for part in typing.get_args(type_) for choice in choices_of(part)]
    return []


NAMES = {  # of one, and of several
    Any: ("any value", "any values"),
    bool: ("true or false", "true or false"),
    int: ("an integer", "integers"),
    float: ("a number", "numbers"),
    str: ("a string", "strings"),
    list: ("a list", "lists"),
    tuple: ("a list", "lists"),
    dict: ("a table", "tables"),
    Path: ("a path", "paths"),
}


def describe_type(type_: Any) -> str:
    """A type in the words of a recipe's author: "an integer or a list of numbers"."""
    if type_ in NAMES:
        return NAMES[type_][0]
    origin, parts = typing.get_origin(type_), typing.get_args(type_)
    if origin is Literal:
        return "one of " + ", ".join(json.dumps(part) for part in parts)
    if origin is Annotated:
        return describe_type(parts[0])
    if is_union(type_):
        return " or ".join(map(describe_type, parts))
    if origin in (dict, collections.abc.Mapping):
        return f"a table of {_plural(parts[1])}" if len(parts) == 2 else "a table"
    if origin is tuple and ... not in parts:
        return f"a list of {len(parts)} values: " + ", ".join(describe_type(part) for part in parts)
    if origin is not None and parts:
        return f"a list of {_plural(parts[0])}"
    return getattr(type_, "__name__", str(type_))


def _plural(type_: Any) -> str:
    return NAMES[type_][1] if type_ in NAMES else f"values, each {describe_type(type_)}"


# What pydantic's types of errors mean, where a value has the right form; a length is that of a list, table or string.
LIMITS = {
    "greater_than": "should be more than {gt}",
    "greater_than_equal": "should be at least {ge}",
    "less_than": "should be less than {lt}",
    "less_than_equal": "should be at most {le}",
    "multiple_of": "should be a multiple of {multiple_of}",
    "too_short": "should have a length of at least {min_length}",
    "too_long": "should have a length of at most {max_length}",
    "string_too_short": "should have a length of at least {min_length}",
    "string_too_long": "should have a length of at most {max_length}",
}


def limit(type_: Any, error: Mapping[str, Any]) -> str | None:
    """Return how large a value should be, "should be at least 1", or None where pydantic's error is about its form."""
    longer_than_its_tuple = error["type"] == "too_long" and typing.get_origin(type_) is not Annotated
    if error["type"] not in LIMITS or longer_than_its_tuple:
        return None
    return LIMITS[error["type"]].format(**error["ctx"]).removesuffix(".0")


def value_name(value: Any) -> str:
    """A value as an error message shows it, cut short, with its TOML type where that helps."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    text = json.dumps(value, ensure_ascii=False, default=str)
    text = text if len(text) <= 60 else text[:57] + "..."
    return f"the string {text}" if isinstance(value, str) else text
