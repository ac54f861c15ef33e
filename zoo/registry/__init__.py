"""From entry points to callables: what plugins offer, found, named and loaded."""
