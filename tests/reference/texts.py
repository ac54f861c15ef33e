"""Vocabs, the slow way."""

from __future__ import annotations


def vocab(tokens: list[str], reserved: list[str]) -> list[str]:
    """Count, then take the most frequent again and again, of equal ones the first in the alphabet."""
    left = {token: tokens.count(token) for token in tokens if token not in reserved}
    ordered = list(reserved)
    while left:
        best = min(left, key=lambda token: (-left[token], token))
        ordered.append(best)
        del left[best]
    return ordered
