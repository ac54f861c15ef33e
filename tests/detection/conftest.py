"""For all tests of zoo_detection."""

from tests.one_thread import one_thread

__all__ = ["one_thread"]
