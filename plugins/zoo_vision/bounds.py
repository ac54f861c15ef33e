"""Which numbers a parameter takes."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt

Count = Annotated[int, Ge(1)]
Share = Annotated[float, Ge(0), Lt(1)]
Factor = Annotated[float, Gt(0)]
NotNegative = Annotated[float, Ge(0)]

LARGEST_SIDE = 4096  # pixels: a batch of 16 such pictures is 3 GB as floats
Side = Annotated[int, Ge(1), Le(LARGEST_SIDE)]
Size = tuple[Side, Side]  # height and width
