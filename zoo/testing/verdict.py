"""How a contract says that it is broken."""

from __future__ import annotations

import pytest


def require(holds: bool, message: str) -> None:
    """Fail the test with a message unless something holds. The component's author needs no traceback of the kit."""
    if not holds:
        pytest.fail(message, pytrace=False)
