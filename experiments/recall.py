"""How far back does a recurrent state remember, and how does that depend on its size? (notes 54, 55.3)

A GRU reads random symbols, of which there are 8, and after each of them says which one it read 1, 2, 4 ... 128 steps
before, with a layer for each distance. What is drawn at random cannot be guessed: it is in the state or it is lost.
Each symbol is 3 bits.

    python -m experiments.recall
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from experiments.tables import print_markdown

SYMBOLS, BATCH, STEPS = 8, 32, 192
DISTANCES = (1, 2, 4, 8, 16, 32, 64, 128)
WIDTHS = (16, 64, 256)
UPDATES, LR = 3000, 3e-3


def main() -> None:
    rows = []
    for width in WIDTHS:
        shares = _recalled(width)
        rows.append([str(width), *(f"{share:.2f}" for share in shares.tolist())])
        print(rows[-1], flush=True)
    print_markdown(["hidden size", *(f"{distance} back" for distance in DISTANCES)], rows)


def _recalled(width: int) -> torch.Tensor:
    """The share of symbols that are known, by distance; 1 / SYMBOLS is a guess."""
    torch.manual_seed(0)
    embedding, network = nn.Embedding(SYMBOLS, width), nn.GRU(width, width, batch_first=True)
    out = nn.Linear(width, len(DISTANCES) * SYMBOLS)
    parameters = [*embedding.parameters(), *network.parameters(), *out.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=LR, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, UPDATES)
    generator = torch.Generator().manual_seed(1)
    for _ in range(UPDATES):
        symbols = torch.randint(SYMBOLS, (BATCH, STEPS), generator=generator)
        with torch.autocast("cpu", torch.bfloat16):
            logits = out(network(embedding(symbols))[0])
        losses = [F.cross_entropy(*pair) for pair in _asked(logits.float(), symbols)]
        optimizer.zero_grad()
        torch.stack(losses).sum().backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
    with torch.inference_mode():
        symbols = torch.randint(SYMBOLS, (8 * BATCH, STEPS), generator=generator)
        logits = out(network(embedding(symbols))[0])
        return torch.stack([(said.argmax(-1) == was).float().mean() for said, was in _asked(logits, symbols)])


def _asked(logits: torch.Tensor, symbols: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """For each distance the logits of all steps that have a symbol so far back, and that symbol."""
    parts = logits.unflatten(-1, (len(DISTANCES), SYMBOLS)).unbind(2)
    return [
        (part[:, distance:].flatten(0, 1), symbols[:, :-distance].flatten())
        for part, distance in zip(parts, DISTANCES, strict=True)
    ]


if __name__ == "__main__":
    main()
