"""What `[sweep]` may say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from annotated_types import Ge, Lt

from zoo import Figure, Mistake
from zoo_lab.sweep.ranges import over_mistakes


@dataclass(frozen=True)
class Sweep:
    """`[sweep]`: runs of this recipe with other values, for `zoo sweep`. `zoo run` does not look at it.

    Args:
        over: what is varied: `"optimizer.lr" = { low = 1e-4, high = 0.1, log = true }`, or a list of values.
        figure: what the trials are judged by.
        mode: whether it should be small or large.
        method: `random` points; the whole `grid` of the lists; or `tpe`, which learns from the trials before (Bergstra
            et al., 2011).
        trials: how many, except of a grid.
        neighbours: trials near the best point afterwards: is it a good place, or was it luck?
        prune: leave a trial that does worse than the median of the others did at that step.
        seed: of the points.
    """

    over: dict[str, Any] = field(default_factory=dict)
    figure: Figure = "val/loss"
    mode: Literal["min", "max"] = "min"
    method: Literal["random", "grid", "tpe"] = "random"
    trials: Annotated[int, Ge(1)] = 20
    neighbours: Annotated[int, Ge(0)] = 8
    prune: bool = False
    seed: Annotated[int, Ge(0), Lt(2**63)] = 0

    @staticmethod
    def mistakes(
        recipe: Mapping[str, Any], mistakes_with: Callable[[Mapping[str, Any]], list[Mistake]]
    ) -> Iterator[Mistake]:
        """Yield what is wrong with what is varied: its form, else each value where a trial would have it."""
        return over_mistakes(recipe["sweep"], mistakes_with)
