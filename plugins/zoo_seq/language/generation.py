"""Text, token by token: greedy, or drawn with a temperature, from the k likeliest, or from those that make up p."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

SHARPEST = 1e-6  # a lower temperature takes the likeliest token, too; in fp32 it may be 0, and 0 / 0 is no logit


def generate(
    model: Any,
    prompt: Tensor,
    count: int,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: torch.Generator | None = None,
    never: int | None = None,
    cached: bool = True,
) -> Tensor:
    """A prompt (B, T) -> the `count` tokens (B, count) that follow.

    Where a text outgrows the positions of a model that has a `max_length`, it goes on from the last half of them.

    Args:
        model: `model(tokens, state)` -> logits (B, T, V) and a state; `model.initial_state()` is the first.
        temperature: the logits are divided by it; 0 takes the likeliest token.
        top_k: draw from so many likeliest tokens (Fan et al., 2018).
        top_p: draw from the fewest tokens whose probabilities make up so much (Holtzman et al., 2020).
        never: a token that is not written: `<unk>`, say.
        cached: without, the whole text is read again for every token: the same, slowly.
    """
    text, state, start, read = prompt, model.initial_state(), 0, 0
    limit = getattr(model, "max_length", None)
    for _ in range(count):
        if limit is not None and text.shape[1] - start > limit:
            start = read = text.shape[1] - max(1, limit // 2)
            state = model.initial_state()
        if cached:
            logits, state = model(text[:, read:], state)
            read = text.shape[1]
        else:
            logits, _ = model(text[:, start:], model.initial_state())
        last = logits[:, -1].float()
        if never is not None:
            last[:, never] = float("-inf")
        tokens = draw(last, temperature, top_k, top_p, generator)
        text = torch.cat([text, tokens[:, None]], dim=1)
    return text[:, prompt.shape[1] :]


def draw(
    logits: Tensor,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Logits (B, V) -> a token each (B,)."""
    if temperature < SHARPEST:
        return logits.argmax(dim=-1)
    logits = logits - logits.amax(dim=-1, keepdim=True)  # or a small temperature would make infinities of them
    probabilities = kept(logits / temperature, top_k, top_p).softmax(dim=-1)
    return torch.multinomial(probabilities, 1, generator=generator)[:, 0]


def kept(logits: Tensor, top_k: int | None, top_p: float | None) -> Tensor:
    """The logits of tokens that may be drawn; all others are minus infinity."""
    ordered, order = logits.sort(dim=-1, descending=True, stable=True)
    out = torch.zeros_like(ordered, dtype=torch.bool)
    if top_k is not None:
        out[..., top_k:] = True
    if top_p is not None:
        probabilities = ordered.softmax(dim=-1)
        out |= probabilities.cumsum(dim=-1) - probabilities >= top_p  # what comes before makes up that much already
    return logits.masked_fill(torch.zeros_like(out).scatter(-1, order, out), float("-inf"))
