"""Training examples/s of recurrent language models, end to end: `zoo`'s recipes against the book's two loops.

The book's (Dive into Deep Learning, course edition, 8.5, 8.6, 9.1 and 9.2) cut windows from a Python list, feed one-hot
vectors, put time first by a transpose, clip gradients by a sum over parameters one by one, and step plain SGD. One has
torch's recurrent layer; in the other, "from scratch", each gate is a product of its own. All have 256 hidden units and
batches of 32 windows of 35 characters.

    python -m benchmarks.recurrent_training
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from benchmarks.training import PlainLoop, compare

BATCH, STEPS, WIDTH = 32, 35, 256
LAYERS = {"rnn": (nn.RNN, 1), "gru": (nn.GRU, 3), "lstm": (nn.LSTM, 4)}


def book_loop(forward: Callable[[Tensor], Tensor], parameters: list[Any], corpus: list[int]) -> Iterator[int]:
    """Train for ever; yields the examples of each step."""
    optimizer = torch.optim.SGD(parameters, lr=1.0)
    size = max(corpus) + 1
    while True:
        text = corpus[random.randrange(STEPS) :]
        starts = list(range(0, len(text) - STEPS - 1, STEPS))
        random.shuffle(starts)
        for first in range(0, len(starts) - BATCH, BATCH):
            chosen = starts[first : first + BATCH]
            inputs = torch.tensor([text[start : start + STEPS] for start in chosen])
            labels = torch.tensor([text[start + 1 : start + 1 + STEPS] for start in chosen])
            loss = F.cross_entropy(forward(F.one_hot(inputs.T, size).float()), labels.T.reshape(-1))
            optimizer.zero_grad()
            loss.backward()
            norm = torch.sqrt(sum(torch.sum(parameter.grad**2) for parameter in parameters))  # type: ignore[arg-type]
            if norm > 1:
                for parameter in parameters:
                    parameter.grad[:] *= 1 / norm
            optimizer.step()
            yield BATCH


def with_a_layer(name: str, corpus: list[int]) -> Iterator[int]:
    size = max(corpus) + 1
    layer, out = LAYERS[name][0](size, WIDTH), nn.Linear(WIDTH, size)
    parameters = [*layer.parameters(), *out.parameters()]
    return book_loop(lambda inputs: out(layer(inputs)[0].reshape(-1, WIDTH)), parameters, corpus)


def from_scratch(name: str, corpus: list[int]) -> Iterator[int]:
    size, gates = max(corpus) + 1, LAYERS[name][1]

    def normal(*shape: int) -> Tensor:
        return (0.01 * torch.randn(shape)).requires_grad_()

    def zeros(size: int) -> Tensor:
        return torch.zeros(size, requires_grad=True)

    weights = [(normal(size, WIDTH), normal(WIDTH, WIDTH), zeros(WIDTH)) for _ in range(gates)]
    out, bias = normal(WIDTH, size), zeros(size)

    def forward(inputs: Tensor) -> Tensor:
        state: Any = (torch.zeros(BATCH, WIDTH), torch.zeros(BATCH, WIDTH))
        found = []
        for step in inputs:
            state = CELLS[name](step, *state, weights)
            found.append(state[0] @ out + bias)
        return torch.cat(found, dim=0)

    return book_loop(forward, [*(part for gate in weights for part in gate), out, bias], corpus)


def _rnn(x: Tensor, h: Tensor, c: Tensor, weights: Any) -> tuple[Tensor, Tensor]:
    return torch.tanh(_gate(x, h, weights[0])), c


def _gru(x: Tensor, h: Tensor, c: Tensor, weights: Any) -> tuple[Tensor, Tensor]:
    update, reset = (torch.sigmoid(_gate(x, h, weights[gate])) for gate in (0, 1))
    candidate = torch.tanh(_gate(x, reset * h, weights[2]))
    return update * h + (1 - update) * candidate, c


def _lstm(x: Tensor, h: Tensor, c: Tensor, weights: Any) -> tuple[Tensor, Tensor]:
    enter, keep, show = (torch.sigmoid(_gate(x, h, weights[gate])) for gate in (0, 1, 2))
    c = keep * c + enter * torch.tanh(_gate(x, h, weights[3]))
    return show * torch.tanh(c), c


def _gate(x: Tensor, h: Tensor, weights: Any) -> Tensor:
    return x @ weights[0] + h @ weights[1] + weights[2]


CELLS: dict[str, Callable[..., tuple[Tensor, Tensor]]] = {"rnn": _rnn, "gru": _gru, "lstm": _lstm}


def main() -> None:
    overrides = {"dataset.num_steps": STEPS, "model.width": WIDTH, "model.dropout": 0.0, "train.batch_size": BATCH}
    for name in LAYERS:
        print(f"\n{name}")
        rivals = {"the book's, from scratch": from_scratch, "the book's, with torch's layer": with_a_layer}
        compare(name, overrides, {rival: _plain(loop, name) for rival, loop in rivals.items()}, target="3")


def _plain(loop: Callable[[str, list[int]], Iterator[int]], name: str) -> PlainLoop:
    return lambda net, split, device, workers: loop(name, split.transform.tokens.tolist())


if __name__ == "__main__":
    main()
