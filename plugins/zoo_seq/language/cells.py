"""Recurrent networks written out: what torch.nn.RNN, GRU and LSTM compute, a step at a time (notes 54 to 57)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

State = Any  # (layers, B, H), of an LSTM two of them


def unrolled(network: nn.RNNBase, inputs: Tensor, state: State | None = None) -> tuple[Tensor, State]:
    """Return what `network(inputs, state)` returns, from its weights: (B, T, E) -> (B, T, H) and the last state.

    The network is batch-first and goes one way.
    """
    cell, parts = CELLS[network.mode.partition("_")[0]]
    shape = network.num_layers, inputs.shape[0], network.hidden_size
    if state is None:
        state = tuple(inputs.new_zeros(shape) for _ in range(parts))
    layers = list(zip(*(state if isinstance(state, tuple) else (state,)), strict=True))
    last = []
    for layer, hidden in enumerate(layers):
        weights = [getattr(network, f"{name}_l{layer}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        if layer and network.dropout:
            inputs = nn.functional.dropout(inputs, network.dropout, network.training)
        outputs = []
        for step in inputs.unbind(1):
            hidden = cell(step, hidden, *weights)
            outputs.append(hidden[0])
        inputs = torch.stack(outputs, dim=1)
        last.append(hidden)
    stacked = tuple(torch.stack(parts) for parts in zip(*last, strict=True))
    return inputs, stacked if parts == 2 else stacked[0]


def rnn_cell(x: Tensor, state: tuple[Tensor, ...], w_x: Tensor, w_h: Tensor, b_x: Tensor, b_h: Tensor) -> Any:
    """h' = tanh(W_x x + b_x + W_h h + b_h) (Elman, 1990)."""
    return (torch.tanh(x @ w_x.T + b_x + state[0] @ w_h.T + b_h),)


def gru_cell(x: Tensor, state: tuple[Tensor, ...], w_x: Tensor, w_h: Tensor, b_x: Tensor, b_h: Tensor) -> Any:
    """Gates for what is reset and what is kept (Cho et al., 2014): h' = (1 - z) n + z h, n = tanh(x_n + r h_n).

    As in cuDNN the reset gate comes after the product with W_h. In the paper and in Dive into Deep Learning 10.2 it
    comes before: n = tanh(x_n + W_h (r h)), another network with other weights.
    """
    hidden = state[0]
    x_r, x_z, x_n = (x @ w_x.T + b_x).chunk(3, dim=-1)
    h_r, h_z, h_n = (hidden @ w_h.T + b_h).chunk(3, dim=-1)
    reset, keep = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
    candidate = torch.tanh(x_n + reset * h_n)
    return ((1 - keep) * candidate + keep * hidden,)


def lstm_cell(x: Tensor, state: tuple[Tensor, ...], w_x: Tensor, w_h: Tensor, b_x: Tensor, b_h: Tensor) -> Any:
    """A memory c beside h, with gates for what comes in, is kept, and is shown (Hochreiter and Schmidhuber, 1997)."""
    hidden, memory = state
    gates = x @ w_x.T + b_x + hidden @ w_h.T + b_h
    enter, keep, candidate, show = gates.chunk(4, dim=-1)
    memory = torch.sigmoid(keep) * memory + torch.sigmoid(enter) * torch.tanh(candidate)
    return torch.sigmoid(show) * torch.tanh(memory), memory


CELLS: dict[str, tuple[Callable[..., Any], int]] = {"RNN": (rnn_cell, 1), "GRU": (gru_cell, 1), "LSTM": (lstm_cell, 2)}
