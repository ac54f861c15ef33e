"""What a sweep varies: choices and ranges, points among them, and the neighbours of a point."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from zoo.errors import InputError
from zoo.recipes.ranges import form_mistakes

Point = dict[str, Any]

NEIGHBOURHOOD = 0.1  # of a range's width (of its logarithm's for a logarithmic one): how far a neighbour may be


@dataclass(frozen=True)
class Choices:
    """One of several values; those beside a value in the list are its neighbours."""

    values: list[Any]

    def draw(self, random: Random) -> Any:
        return random.choice(self.values)

    def near(self, value: Any, random: Random) -> Any:
        place = self.values.index(value)
        return random.choice(self.values[max(0, place - 1) : place + 2])


@dataclass(frozen=True)
class Range:
    """A number from `low` to `high`, evenly distributed or, with `log`, by its logarithm; whole where both ends are."""

    low: float
    high: float
    log: bool = False

    @property
    def whole(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int)

    def draw(self, random: Random) -> Any:
        return self._value(random.random())

    def near(self, value: Any, random: Random) -> Any:
        share = (self._scale(value) - self._scale(self.low)) / (self._scale(self.high) - self._scale(self.low))
        return self._value(min(1.0, max(0.0, share + random.uniform(-NEIGHBOURHOOD, NEIGHBOURHOOD))))

    def _scale(self, value: float) -> float:
        return math.log(value) if self.log else value

    def _value(self, share: float) -> Any:
        scaled = self._scale(self.low) + share * (self._scale(self.high) - self._scale(self.low))
        value = math.exp(scaled) if self.log else scaled
        value = round(value) if self.whole else float(f"{value:.6g}")
        return min(self.high, max(self.low, value))


Space = dict[str, Choices | Range]


def read_space(over: Mapping[str, Any]) -> Space:
    """`{"optimizer.lr": {"low": 1e-4, "high": 0.1, "log": True}, "train.seed": [0, 1]}` -> what is varied.

    Raises:
        InputError: nothing is varied, or a value is neither a list nor a range.
    """
    if not over:
        raise InputError("the sweep varies nothing", '[sweep.over] "optimizer.lr" = [0.01, 0.1], or --over')
    return {key: _dimension(key, value) for key, value in over.items()}


def grid(space: Space) -> list[Point]:
    """All combinations, the last parameter changing fastest.

    Raises:
        InputError: there is a range, which has no end of values.
    """
    for key, dimension in space.items():
        if isinstance(dimension, Range):
            raise InputError(f"a grid needs a list of values for `{key}`, and it has a range", 'method = "random"')
    columns = [dimension.values for dimension in space.values() if isinstance(dimension, Choices)]
    return [dict(zip(space, values, strict=True)) for values in itertools.product(*columns)]


def random_point(space: Space, seed: int, number: int) -> Point:
    """The random point of a trial's number: the same in every process, whatever was drawn before."""
    random = Random(f"{seed} {number}")
    return {key: dimension.draw(random) for key, dimension in space.items()}


def neighbour(space: Space, point: Point, seed: int, number: int) -> Point:
    """A point near another, never the point itself where anything else is near."""
    random = Random(f"{seed} near {number}")
    for _ in range(20):
        near = {key: dimension.near(point[key], random) for key, dimension in space.items()}
        if near != point:
            return near
    return point


def _dimension(key: str, value: Any) -> Choices | Range:
    for mistake in form_mistakes(key, value):
        form = f'"{key}" = [1, 2, 3] or "{key}" = {{ low = 1e-4, high = 0.1, log = true }}'
        raise InputError(mistake.message, form)
    return Choices(value) if isinstance(value, list) else Range(value["low"], value["high"], value.get("log", False))
