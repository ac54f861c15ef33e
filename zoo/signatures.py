"""What a callable asks for by the names of its parameters."""

from __future__ import annotations

import inspect
from typing import Any


def takes(function: Any, name: str) -> bool:
    """Whether a callable has a parameter of that name; of a module its `forward` is asked."""
    try:
        return name in inspect.signature(getattr(function, "forward", function)).parameters
    except (TypeError, ValueError):  # a builtin without a signature
        return False
