"""Translations, token by token: the likeliest each time, or the best of several that are kept (beam search)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def greedy(model: Any, source: Tensor, begin: int, end: int, length: int) -> tuple[Tensor, Tensor]:
    """Source (B, S) -> tokens (B, at most `length`), and their log-probability (B,).

    A translation ends with `end`; what follows is `end` again.

    Args:
        model: `model.begin(source)` -> a state; `model.step(tokens (B,), state)` -> logits (B, V) and the next state.
    """
    state = model.begin(source)
    tokens = source.new_full(source.shape[:1], begin)
    total = torch.zeros(len(source), device=source.device)
    done = torch.zeros_like(tokens, dtype=torch.bool)
    found = []
    for _ in range(length):
        logits, state = model.step(tokens, state)
        best, chosen = logits.float().log_softmax(dim=-1).max(dim=-1)
        tokens = chosen.masked_fill(done, end)
        total = total + best.masked_fill(done, 0)
        found.append(tokens)
        done = done | (tokens == end)
        if bool(done.all()):
            break
    return torch.stack(found, dim=1), total


def beam_search(
    model: Any, source: Tensor, begin: int, end: int, length: int, beam: int, penalty: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Source (B, S) -> the best tokens (B, at most `length`), and their log-probability (B,).

    The `beam` likeliest beginnings are gone on with. What the likeliest token each time leads to is always among them,
    so a beam never ends with a lower score, as it is compared, than `greedy`. All sentences of a batch, and all their
    beams, are one batch to the model; the source is read once.

    Args:
        penalty: alpha of ((5 + n) / 6)^alpha, by which the log-probability of n tokens is divided to be compared (Wu et
            al., 2016, section 7). Without, short translations win.
    """
    size, device = len(source), source.device
    state = model.begin(source).rows(torch.arange(size, device=device).repeat_interleave(beam))
    scores = torch.full((size, beam), float("-inf"), device=device)
    scores[:, 0] = 0
    tokens = source.new_full((size * beam,), begin)
    found = source.new_zeros(size, beam, 0)
    lengths = source.new_zeros(size, beam)
    done = torch.zeros(size, beam, dtype=torch.bool, device=device)
    path = source.new_zeros(size)  # which beam is the greedy one
    offsets = torch.arange(size, device=device)[:, None] * beam
    for _ in range(length):
        logits, state = model.step(tokens, state)
        ahead = logits.float().log_softmax(dim=-1).view(size, beam, -1)
        vocab = ahead.shape[-1]
        over = torch.full((vocab,), float("-inf"), device=device)
        over[end] = 0
        ahead = torch.where(done[..., None], over, ahead)
        totals = (scores[..., None] + ahead).flatten(1)
        greedily = path * vocab + ahead.gather(1, path[:, None, None].expand(-1, 1, vocab))[:, 0].argmax(dim=-1)
        scores, chosen = totals.topk(beam, dim=1)
        scores, chosen, path = _with_greedy(scores, chosen, totals, greedily)
        before, new = chosen // vocab, chosen % vocab
        was_done = done.gather(1, before)
        found = torch.cat([found.gather(1, before[..., None].expand(-1, -1, found.shape[2])), new[..., None]], dim=2)
        lengths = lengths.gather(1, before) + ~was_done
        done = was_done | (new == end)
        if bool(done.all()):
            break
        tokens = new.flatten()
        state = state.rows((before + offsets).flatten())
    ranked = scores / ((5 + lengths) / 6) ** penalty
    best = ranked.argmax(dim=1, keepdim=True)
    return found.gather(1, best[..., None].expand(-1, 1, found.shape[2]))[:, 0], scores.gather(1, best)[:, 0]


def _with_greedy(scores: Tensor, chosen: Tensor, totals: Tensor, greedily: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The chosen beginnings with the greedy one among them, in place of the last if need be, and its place."""
    there = chosen == greedily[:, None]
    missing = ~there.any(dim=1)
    last = torch.where(missing, greedily, chosen[:, -1])
    chosen = torch.cat([chosen[:, :-1], last[:, None]], dim=1)
    own = totals.gather(1, greedily[:, None])[:, 0]
    scores = torch.cat([scores[:, :-1], torch.where(missing, own, scores[:, -1])[:, None]], dim=1)
    place = (chosen == greedily[:, None]).int().argmax(dim=1)
    return scores, chosen, place
