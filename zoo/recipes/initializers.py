"""The initialisers that `[train.initialize]` may name, and how one is written: `normal(0.02)`."""

from __future__ import annotations

import math
import re

from zoo.errors import InputError, nearest

# By name: how many numbers it takes at most. They are `torch.nn.init`'s, less the trailing underscore.
INITIALIZERS = {
    "constant": 1,
    "eye": 0,
    "kaiming_normal": 1,
    "kaiming_uniform": 1,
    "normal": 2,
    "ones": 0,
    "orthogonal": 1,
    "uniform": 2,
    "xavier_normal": 1,
    "xavier_uniform": 1,
    "zeros": 0,
}


class UnknownInitializer(InputError):
    """An initialiser that is none; `suggestion` is what was probably meant, where there is something near."""

    def __init__(self, message: str, help: str = "", suggestion: str | None = None) -> None:
        super().__init__(message, help)
        self.suggestion = suggestion


def parse_initializer(written: str) -> tuple[str, list[float]]:
    """`normal(0, 0.02)` -> its name and its numbers.

    Raises:
        UnknownInitializer: the name is none, or the numbers are none, too many, too few or not finite; or a spread is
            negative.
    """
    form = re.fullmatch(r"\s*([^()\s]*)\s*(?:\(([^()]*)\))?\s*", written)
    if form is None:
        raise UnknownInitializer(f"initialiser `{written}` is not written as `normal` or `normal(0.02)`")
    name, arguments = form[1], form[2] or ""
    if name not in INITIALIZERS:
        near = nearest(name, INITIALIZERS)
        suggestion = None if near is None else f"{near}({arguments})" if arguments else near
        help = f"did you mean `{suggestion}`?" if near else "there are " + ", ".join(INITIALIZERS)
        raise UnknownInitializer(f"unknown initialiser `{name}`", help, suggestion)
    try:
        numbers = [float(number) for number in arguments.split(",") if number.strip()]
    except ValueError:
        raise UnknownInitializer(f"initialiser `{written}`: its arguments are no numbers") from None
    if not all(map(math.isfinite, numbers)):
        raise UnknownInitializer(f"initialiser `{written}`: its numbers should be finite")
    most = INITIALIZERS[name]
    if len(numbers) > most or (name == "constant" and not numbers):
        raise UnknownInitializer(
            f"initialiser `{written}` takes {most if name == 'constant' else f'at most {most}'} "
            f"number{'' if most == 1 else 's'}"
        )
    if name == "normal" and numbers and numbers[-1] < 0:
        raise UnknownInitializer(f"initialiser `{written}`: a deviation should not be negative")
    if name == "uniform" and (numbers + [0.0, 1.0][len(numbers) :]) != sorted(numbers + [0.0, 1.0][len(numbers) :]):
        raise UnknownInitializer(f"initialiser `{written}`: the lower end should come first")
    return name, numbers
