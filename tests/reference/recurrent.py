"""Recurrent networks, a token at a time, from torch.nn's weights; and an encoder and decoder made of them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from tests.reference.attention import additive, weighted

Read = list[Tensor]


def gru_step(network: nn.GRU, layer: str, x: Tensor, h: Tensor) -> Tensor:
    """r, z, n and h' as torch.nn.GRU's documentation has them."""
    w, u, b, c = (getattr(network, f"{name}_{layer}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    size = len(h)
    mine, its = w @ x + b, u @ h + c
    r = torch.sigmoid(mine[:size] + its[:size])
    z = torch.sigmoid(mine[size : 2 * size] + its[size : 2 * size])
    n = torch.tanh(mine[2 * size :] + r * its[2 * size :])
    return (1 - z) * n + z * h


def books_gru_step(x: Tensor, h: Tensor, w: Tensor, u: Tensor, b: Tensor) -> Tensor:
    """Dive into Deep Learning 10.2: R, Z, H~ = tanh(X W_xh + (R * H) W_hh + b_h), H' = Z * H + (1 - Z) * H~."""
    (w_r, w_z, w_h), (u_r, u_z, u_h), (b_r, b_z, b_h) = w.chunk(3), u.chunk(3), b.chunk(3)
    reset, update = torch.sigmoid(w_r @ x + u_r @ h + b_r), torch.sigmoid(w_z @ x + u_z @ h + b_z)
    candidate = torch.tanh(w_h @ x + u_h @ (reset * h) + b_h)
    return update * h + (1 - update) * candidate


def encoded(model: Any, source: Tensor, layers: int, both_ways: bool) -> tuple[Read, Read]:
    """One source (S,) -> the top layer's output at each token, and each layer's last state."""
    outputs, states = list(model.source.weight[source]), []
    for layer in range(layers):
        ways = []
        for suffix in ("", "_reverse")[: 1 + both_ways]:
            state, read = torch.zeros(model.encoder.hidden_size), []
            for x in reversed(outputs) if suffix else outputs:
                state = gru_step(model.encoder, f"l{layer}{suffix}", x, state)
                read.append(state)
            ways.append((read[::-1] if suffix else read, state))
        outputs = [torch.cat(parts) for parts in zip(*(read for read, _ in ways), strict=True)]
        states.append(torch.cat([state for _, state in ways]))
    return outputs, states


def seq2seq(model: Any, source: Tensor, target: Tensor, layers: int, attention: str, both_ways: bool) -> Tensor:
    """Logits (T, V) of one target (T,), told a source (S,) without padding."""
    memory, states = encoded(model, source, layers, both_ways)
    kept, rows = torch.stack(memory), []
    for token in target:
        x = model.target.weight[token]
        if attention == "none":
            x = torch.cat([x, memory[-1]])
        if attention == "additive":
            layer = model.attention
            scores = additive(states[-1], kept, layer.query.weight, layer.key.weight, layer.score.weight[0])
            x = torch.cat([x, weighted(scores, kept)])
        for number in range(layers):
            x = states[number] = gru_step(model.decoder, f"l{number}", x, states[number])
        if attention == "dot":
            layer = model.attention
            found = weighted([float(x @ (layer.key.weight @ row)) for row in kept], kept)
            x = torch.tanh(layer.join.weight @ torch.cat([x, found]) + layer.join.bias)
        rows.append(model.out.weight @ x + model.out.bias)
    return torch.stack(rows)
