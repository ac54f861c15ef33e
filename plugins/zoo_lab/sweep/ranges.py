"""What `[sweep.over]` varies: lists of values and ranges of numbers, and what is wrong with them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from zoo import Mistake, nearest

RANGE = ("low", "high", "log")


def over_mistakes(
    sweep: Mapping[str, Any], mistakes_with: Callable[[Mapping[str, Any]], list[Mistake]]
) -> Iterator[Mistake]:
    """Yield what is wrong with what a recipe varies: its form, else each value where a trial would have it.

    Args:
        sweep: the table, whose values may be of any type.
        mistakes_with: what would be wrong with the recipe, beside what is wrong with it now, had it these values.
    """
    over = sweep.get("over")
    if not isinstance(over, dict):
        return
    forms = [mistake for key, value in over.items() for mistake in form_mistakes(key, value, sweep.get("method", ""))]
    for mistake in forms:
        form = f'"{mistake.path[0]}" = [1, 2, 3] or "{mistake.path[0]}" = {{ low = 1e-4, high = 0.1, log = true }}'
        yield replace(mistake, path=("over", *mistake.path), help=form)
    if forms:
        return
    places = {key: _values(value) for key, value in over.items()}
    first = {key: values[0][1] for key, values in places.items()}
    seen: list[Mistake] = []
    for key, values in places.items():
        for place, value in values:
            for mistake in mistakes_with({**first, key: value}):
                if mistake in seen:
                    continue
                seen.append(mistake)
                about = _varied_by(mistake, over, key)
                rest = mistake.path[len(about.split(".")) :]
                inside = (place if about == key else places[about][0][0], *rest)
                yield replace(mistake, path=("over", about, *(inside if rest or mistake.at == "value" else ())))


def _values(value: Any) -> list[tuple[int | str, Any]]:
    """Return the values of a list, or both ends of a range, each behind the key that it has there."""
    return list(enumerate(value)) if isinstance(value, list) else [(end, value[end]) for end in ("low", "high")]


def _varied_by(mistake: Mistake, over: Mapping[str, Any], key: str) -> str:
    """Return the key that varies what a mistake is about; `key`, which is being varied, where none does."""
    about = [other for other in over if mistake.path[: len(other.split("."))] == tuple(other.split("."))]
    return max(about, key=len, default=key)


def form_mistakes(key: str, value: Any, method: str = "random") -> Iterator[Mistake]:
    """Yield what is wrong with the form of what is varied under `key`, whatever its values may be."""
    if isinstance(value, list):
        if not value:
            yield Mistake("wrong-value", f"`{key}` of the sweep has no values to choose from", (key,))
        return
    if not isinstance(value, dict):
        message = f"`{key}` of the sweep is {_shown(value)}; it should be a list of values or a range"
        yield Mistake("wrong-type", message, (key,))
        return
    unknown = [name for name in value if name not in RANGE]
    for name in unknown:
        message = f"unknown key `{name}` of the range `{key}`; there are `low`, `high` and `log`"
        yield Mistake("unknown-key", message, (key, name), "key", nearest(name, RANGE))
    if not unknown:
        yield from _range_mistakes(key, value, method)


def _range_mistakes(key: str, value: dict[str, Any], method: str) -> Iterator[Mistake]:
    for end in ("low", "high"):
        if end not in value:
            yield Mistake("missing-key", f"the range `{key}` of the sweep has no `{end}`", (key,))
            return
        number = value[end]
        if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
            message = f"`{end}` of the range `{key}` is {_shown(number)}; it should be a finite number"
            yield Mistake("wrong-type", message, (key, end))
            return
    low, high, log = value["low"], value["high"], value.get("log", False)
    if not isinstance(log, bool):
        message = f"`log` of the range `{key}` is {_shown(log)}; it should be true or false"
        yield Mistake("wrong-type", message, (key, "log"))
    elif low >= high:
        yield Mistake("wrong-value", f"`high` of the range `{key}` is {high}; it should be above `low`", (key, "high"))
    elif log and low <= 0:
        message = f"`low` of the range `{key}` is {low}; a logarithmic range begins above 0"
        yield Mistake("wrong-value", message, (key, "low"))
    elif method == "grid":
        message = f"a grid needs a list of values for `{key}`, and it has a range"
        yield Mistake("wrong-value", message, (key,))


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "a table"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return f"the string {text}" if isinstance(value, str) else text
