"""Training examples/s of a recurrent language model, end to end: `zoo`'s recipe against the book's loop.

The book's (Dive into Deep Learning, 9.5, 9.6 and 10.2): windows cut from a Python list, one-hot vectors for input, time
first by a transpose, gradients clipped by a sum over parameters one by one, plain SGD. Both have 256 hidden units and
batches of 32 windows of 35 characters.

    python -m benchmarks.gru_training
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from benchmarks.training import compare

BATCH, STEPS, WIDTH = 32, 35, 256


def book_loop(net: nn.Module, split: Any, device: torch.device, workers: int) -> Iterator[int]:
    """Train for ever; yields the examples of each step."""
    corpus = split.transform.tokens.tolist()
    size = max(corpus) + 1
    layer, out = nn.GRU(size, WIDTH).to(device), nn.Linear(WIDTH, size).to(device)
    parameters = [*layer.parameters(), *out.parameters()]
    optimizer = torch.optim.SGD(parameters, lr=1.0)
    while True:
        text = corpus[random.randrange(STEPS) :]
        starts = list(range(0, len(text) - STEPS - 1, STEPS))
        random.shuffle(starts)
        for first in range(0, len(starts) - BATCH, BATCH):
            chosen = starts[first : first + BATCH]
            inputs = torch.tensor([text[start : start + STEPS] for start in chosen], device=device)
            labels = torch.tensor([text[start + 1 : start + 1 + STEPS] for start in chosen], device=device)
            found, _ = layer(F.one_hot(inputs.T, size).float())
            loss = F.cross_entropy(out(found.reshape(-1, WIDTH)), labels.T.reshape(-1))
            optimizer.zero_grad()
            loss.backward()
            norm = torch.sqrt(sum(torch.sum(parameter.grad**2) for parameter in parameters))  # type: ignore[arg-type,operator]
            if norm > 1:
                for parameter in parameters:
                    parameter.grad[:] *= 1 / norm  # type: ignore[index]
            optimizer.step()
            yield BATCH


def main() -> None:
    overrides = {"dataset.num_steps": STEPS, "model.width": WIDTH, "model.dropout": 0.0, "train.batch_size": BATCH}
    compare("gru", overrides, book_loop, target="3")


if __name__ == "__main__":
    main()
