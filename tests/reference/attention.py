"""Attention, a query and a key at a time; and positions, a number at a time."""

from __future__ import annotations

import cmath
import math

import torch


def attention(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, allowed: torch.Tensor) -> torch.Tensor:
    """(T, d), (S, d), (S, e), and whether a query may look at a key (T, S) -> (T, e)."""
    rows = []
    for query, may in zip(queries, allowed, strict=True):
        seen = [index for index in range(len(keys)) if may[index]]
        scores = [float(query @ keys[index]) / math.sqrt(len(query)) for index in seen]
        rows.append(weighted(scores, values[seen]))
    return torch.stack(rows)


def weighted(scores: list[float], values: torch.Tensor) -> torch.Tensor:
    """The mean of values (S, e), each weighted by the exponential of its score."""
    powers = [math.exp(score - max(scores)) for score in scores]
    return torch.stack([power / sum(powers) * value for power, value in zip(powers, values, strict=True)]).sum(0)


def additive(query: torch.Tensor, memory: torch.Tensor, w_q: torch.Tensor, w_k: torch.Tensor, v: torch.Tensor) -> list:
    """Scores v tanh(W_q q + W_k k) of each row k of the memory (Bahdanau et al., 2015)."""
    return [sum(float(v[i]) * math.tanh(float(w_q[i] @ query + w_k[i] @ k)) for i in range(len(v))) for k in memory]


def sine_code(position: int, width: int) -> list[float]:
    """PE(pos, 2i) = sin(pos / 10000^(2i / d)), PE(pos, 2i + 1) = cos of the same (Vaswani et al., 2017, 3.5)."""
    code = []
    for column in range(width):
        angle = position / 10000 ** (2 * (column // 2) / width)
        code.append(math.sin(angle) if column % 2 == 0 else math.cos(angle))
    return code


def turned(vector: torch.Tensor, position: int) -> torch.Tensor:
    """Each pair of columns as a complex number, times exp(i pos / 10000^(2i / d)) (Su et al., 2021, 3.2)."""
    numbers = vector.tolist()
    out = []
    for pair in range(len(numbers) // 2):
        angle = position / 10000 ** (2 * pair / len(numbers))
        product = complex(numbers[2 * pair], numbers[2 * pair + 1]) * cmath.exp(1j * angle)
        out += [product.real, product.imag]
    return torch.tensor(out)
