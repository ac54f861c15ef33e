"""What a sweep varies: choices and ranges, the grid of them, and the neighbours of a point."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

Point = dict[str, Any]

NEIGHBOURHOOD = 0.1  # of a range's width (of its logarithm's for a logarithmic one): how far a neighbour may be


@dataclass(frozen=True)
class Choices:
    """One of several values; those beside a value in the list are its neighbours."""

    values: list[Any]

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

    def near(self, value: Any, random: Random) -> Any:
        low, high = self._scale(self.low), self._scale(self.high)
        reach = NEIGHBOURHOOD * (high - low)
        scaled = min(high, max(low, self._scale(value) + random.uniform(-reach, reach)))
        return self.legible(math.exp(scaled) if self.log else scaled)

    def legible(self, value: float) -> float:
        """Return a number of the range as a recipe has it: whole, or of six digits."""
        value = round(value) if self.whole else float(f"{value:.6g}")
        return min(self.high, max(self.low, value))

    def _scale(self, value: float) -> float:
        return math.log(value) if self.log else value


Space = dict[str, Choices | Range]


def read_space(over: Mapping[str, Any]) -> Space:
    """Read what is varied: `{"optimizer.lr": {"low": 1e-4, "high": 0.1, "log": True}, "train.seed": [0, 1]}`."""
    return {key: Choices(value) if isinstance(value, list) else Range(**value) for key, value in over.items()}


def grid(space: Space) -> list[Point]:
    """Return all combinations of a space of choices, the last parameter changing fastest."""
    columns = [dimension.values for dimension in space.values() if isinstance(dimension, Choices)]
    return [dict(zip(space, values, strict=True)) for values in itertools.product(*columns)]


def neighbour(space: Space, point: Point, seed: int, number: int) -> Point:
    """Return a point near another, never the point itself where anything else is near."""
    random = Random(f"{seed} near {number}")
    for _ in range(20):
        near = {key: dimension.near(point[key], random) for key, dimension in space.items()}
        if near != point:
            return near
    return point
