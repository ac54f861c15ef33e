"""For all tests of zoo_basics."""

from tests.one_thread import one_thread

__all__ = ["one_thread"]
