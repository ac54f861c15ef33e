"""Transformers from a state dict, one text and one head at a time. What a switch means is written here once more."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from tests.reference.attention import attention, sine_code, turned

Weights = dict[str, Tensor]


@dataclass
class Switches:
    """What a network is told to be."""

    heads: int
    layers: int
    positions: str
    pre_norm: bool = True
    norm: str = "layer"
    combine: str = "concat"


def under(weights: Weights, name: str) -> Weights:
    return {key.removeprefix(f"{name}."): value for key, value in weights.items() if key.startswith(f"{name}.")}


def linear(weights: Weights, x: Tensor) -> Tensor:
    return x @ weights["weight"].T + weights.get("bias", torch.zeros(()))


def normalized(weights: Weights, x: Tensor, norm: str) -> Tensor:
    """Over a token's numbers, or by the running mean and variance of each of them over tokens."""
    if norm == "batch":
        weights = under(weights, "norm")
        mean, variance = weights["running_mean"], weights["running_var"]
    else:
        mean = x.mean(dim=-1, keepdim=True)
        variance = ((x - mean) ** 2).mean(dim=-1, keepdim=True)
    return (x - mean) / torch.sqrt(variance + 1e-5) * weights["weight"] + weights["bias"]


def heads(weights: Weights, queries: Tensor, others: Tensor, may: Tensor, switches: Switches, rotary: bool) -> Tensor:
    query = linear(under(weights, "query"), queries)
    key, value = linear(under(weights, "key_value"), others).chunk(2, dim=-1)
    width, found = query.shape[1] // switches.heads, []
    for head in range(switches.heads):
        q, k, v = (side[:, head * width : (head + 1) * width] for side in (query, key, value))
        if rotary:
            q, k = (torch.stack([turned(row, place) for place, row in enumerate(rows)]) for rows in (q, k))
        found.append(attention(q, k, v, may))
    joined = torch.cat(found, dim=1) if switches.combine == "concat" else sum(found) / switches.heads
    return linear(under(weights, "out"), joined)  # type: ignore[arg-type]


def perceptron(weights: Weights, x: Tensor) -> Tensor:
    hidden = linear(under(weights, "0"), x)
    return linear(under(weights, "2"), hidden * (1 + torch.erf(hidden / math.sqrt(2))) / 2)


def block(weights: Weights, x: Tensor, may: Tensor, switches: Switches, seen: Tensor | None = None) -> Tensor:
    """`seen` (S, width): what an encoder has made of another text."""
    rotary = switches.positions == "rotary"
    parts: list[Any] = [lambda y: heads(under(weights, "attention"), y, y, may, switches, rotary)]
    if seen is not None:
        all_of_it = torch.ones(len(x), len(seen))
        parts.append(lambda y: heads(under(weights, "cross"), y, seen, all_of_it, switches, False))
    parts.append(lambda y: perceptron(under(weights, "perceptron"), y))
    for number, part in enumerate(parts):
        norm = under(weights, f"norms.{number}")
        if switches.pre_norm:
            x = x + part(normalized(norm, x, switches.norm))
        else:
            x = normalized(norm, x + part(x), switches.norm)
    return x


def embedded(weights: Weights, tokens: Tensor, scale: float, switches: Switches) -> Tensor:
    rows = []
    for place, token in enumerate(tokens.tolist()):
        row = weights["tokens.weight"][token] * scale
        if switches.positions == "sine":
            row = row + torch.tensor(sine_code(place, len(row)))
        if switches.positions == "learned":
            row = row + weights["places.weight"][place]
        rows.append(row)
    return torch.stack(rows)


def gpt(weights: Weights, tokens: Tensor, switches: Switches) -> Tensor:
    """Logits (T, V) of one text (T,)."""
    scale = 50.0 if switches.positions == "sine" else 1.0
    x = embedded(under(weights, "embedding"), tokens, scale, switches)
    for layer in range(switches.layers):
        x = block(under(weights, f"blocks.{layer}"), x, torch.ones(len(x), len(x)).tril(), switches)
    if switches.pre_norm:
        x = normalized(under(weights, "norm"), x, switches.norm)
    return x @ weights["embedding.tokens.weight"].T


def transformer(weights: Weights, source: Tensor, target: Tensor, switches: Switches) -> Tensor:
    """Logits (T, V) of one target (T,), told a source (S,) without padding."""
    scale = math.sqrt(weights["source.tokens.weight"].shape[1])
    memory = embedded(under(weights, "source"), source, scale, switches)
    for layer in range(switches.layers):
        memory = block(under(weights, f"encoder.{layer}"), memory, torch.ones(len(source), len(source)), switches)
    if switches.pre_norm:
        memory = normalized(under(weights, "norms.0"), memory, switches.norm)
    x = embedded(under(weights, "target"), target, scale, switches)
    for layer in range(switches.layers):
        x = block(under(weights, f"decoder.{layer}"), x, torch.ones(len(x), len(x)).tril(), switches, memory)
    if switches.pre_norm:
        x = normalized(under(weights, "norms.1"), x, switches.norm)
    return linear(under(weights, "out"), x)
