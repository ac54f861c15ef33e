"""Attention, a query and a key at a time."""

from __future__ import annotations

import math

import torch


def attention(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, allowed: torch.Tensor) -> torch.Tensor:
    """(T, d), (S, d), (S, e), and whether a query may look at a key (T, S) -> (T, e)."""
    rows = []
    for query, may in zip(queries, allowed, strict=True):
        seen = [index for index in range(len(keys)) if may[index]]
        scores = [float(query @ keys[index]) / math.sqrt(len(query)) for index in seen]
        powers = [math.exp(score - max(scores)) for score in scores]
        rows.append(sum(power / sum(powers) * values[index] for power, index in zip(powers, seen, strict=True)))
    return torch.stack(rows)
