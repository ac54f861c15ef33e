"""For all tests of zoo_lab: the parts that tests of the core use."""

from tests.zoo.conftest import fake_parts, probe_parts, write

__all__ = ["fake_parts", "probe_parts", "write"]
