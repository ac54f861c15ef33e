"""Vocabs, windows and translations, the slow way."""

from __future__ import annotations

from itertools import product
from typing import Any

import torch


def vocab(tokens: list[str], reserved: list[str]) -> list[str]:
    """Count, then take the most frequent again and again, of equal ones the first in the alphabet."""
    left = {token: tokens.count(token) for token in tokens if token not in reserved}
    ordered = list(reserved)
    while left:
        best = min(left, key=lambda token: (-left[token], token))
        ordered.append(best)
        del left[best]
    return ordered


def best_translation(model: Any, source: torch.Tensor, begin: int, end: int, length: int, size: int) -> float:
    """The log-probability of the likeliest of all translations of one source (1, S), up to a length."""
    best = float("-inf")
    for tokens in product(range(size), repeat=length):
        total, state, before = 0.0, model.begin(source), begin
        for token in tokens:
            logits, state = model.step(torch.tensor([before]), state)
            total += float(logits[0].log_softmax(0)[token])
            before = token
            if token == end:
                break
        best = max(best, total)
    return best
