"""Beam search over lists of Python: every beginning is read again, whole, at each step."""

from __future__ import annotations

from typing import Any

import torch


def beam_search(
    model: Any, source: torch.Tensor, begin: int, end: int, length: int, beam: int, penalty: float
) -> tuple[list[int], float]:
    """The best tokens of one source (1, S), and their log-probability; what the likeliest tokens lead to stays."""
    beginnings: list[tuple[float, list[int]]] = [(0.0, [])]
    greedy: list[int] = []
    for _ in range(length):
        longer = []
        for score, tokens in beginnings:
            if end in tokens:
                longer.append((score, tokens))
                continue
            ahead = _ahead(model, source, [begin, *tokens])
            longer += [(score + value, [*tokens, token]) for token, value in enumerate(ahead)]
        if end not in greedy:
            ahead = _ahead(model, source, [begin, *greedy])
            greedy = [*greedy, ahead.index(max(ahead))]
        longer.sort(key=lambda pair: -pair[0])
        beginnings = longer[:beam]
        if greedy not in [tokens for _, tokens in beginnings]:
            beginnings[-1] = next(pair for pair in longer if pair[1] == greedy)
        if all(end in tokens for _, tokens in beginnings):
            break
    score, tokens = max(beginnings, key=lambda pair: pair[0] / ((5 + len(pair[1])) / 6) ** penalty)
    return tokens, score


def _ahead(model: Any, source: torch.Tensor, tokens: list[int]) -> list[float]:
    return model(source, torch.tensor([tokens]))[0, -1].log_softmax(0).tolist()  # type: ignore[no-any-return]
