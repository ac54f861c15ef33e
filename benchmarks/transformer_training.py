"""Training pairs/s of a Transformer on English-French pairs, end to end: `zoo`'s recipe against the book's loop.

The book's (Dive into Deep Learning, course edition, 9.5, 9.7 and 10.3 to 10.7): every sentence padded or cut to a fixed
number of tokens, scores masked with -1e6 and kept on the modules, heads moved into the batch by transposes, a loss over
padding that is then multiplied by zero, gradients clipped by a sum over parameters one by one, fp32. Both have the same
widths, the same pairs and the same batch size. Both translate whole sentences, but for those that the book cuts.

    python -m benchmarks.transformer_training
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.training import compare

BATCH, LAYERS, HEADS, DROPOUT, LR = 64, 2, 4, 0.1, 0.005
SIZES = [  # width, hidden, tokens that a sentence is padded or cut to, recipe
    (32, 64, 10, "transformer"),
    (256, 1024, 10, "transformer"),
    (256, 1024, 40, "transformer_multi30k"),
]


class Attention(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.q, self.k, self.v, self.out = (nn.Linear(width, width, bias=False) for _ in range(4))
        self.dropout = nn.Dropout(DROPOUT)
        self.weights: Tensor | None = None

    def forward(self, queries: Tensor, others: Tensor, lengths: Tensor | None) -> Tensor:
        q, k, v = (self._heads(layer(x)) for layer, x in ((self.q, queries), (self.k, others), (self.v, others)))
        scores = torch.bmm(q, k.transpose(1, 2)) / math.sqrt(q.shape[-1])
        if lengths is not None:
            per_row = lengths.repeat_interleave(HEADS, dim=0)
            per_row = per_row.reshape(-1) if per_row.dim() == 2 else per_row.repeat_interleave(scores.shape[1])
            flat = scores.reshape(-1, scores.shape[-1])
            keep = torch.arange(flat.shape[1])[None] < per_row[:, None]
            flat[~keep] = -1e6
            scores = flat.reshape(scores.shape)
        self.weights = F.softmax(scores, dim=-1)
        found = torch.bmm(self.dropout(self.weights), v)
        found = found.reshape(-1, HEADS, *found.shape[1:]).permute(0, 2, 1, 3)
        return self.out(found.reshape(*found.shape[:2], -1))

    def _heads(self, x: Tensor) -> Tensor:
        x = x.reshape(*x.shape[:2], HEADS, -1).permute(0, 2, 1, 3)
        return x.reshape(-1, *x.shape[2:])


class Block(nn.Module):
    def __init__(self, width: int, hidden: int, cross: bool) -> None:
        super().__init__()
        self.attentions = nn.ModuleList([Attention(width) for _ in range(2 if cross else 1)])
        self.perceptron = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, width))
        self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in range(3 if cross else 2)])
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, x: Tensor, lengths: Tensor | None, memory: Tensor | None, seen: Tensor | None) -> Tensor:
        x = self.norms[0](x + self.dropout(self.attentions[0](x, x, lengths)))
        if memory is not None:
            x = self.norms[1](x + self.dropout(self.attentions[1](x, memory, seen)))
        return self.norms[-1](x + self.dropout(self.perceptron(x)))


class BookTransformer(nn.Module):
    def __init__(self, sizes: tuple[int, int], width: int, hidden: int) -> None:
        super().__init__()
        self.embeddings = nn.ModuleList([nn.Embedding(size, width) for size in sizes])
        self.encoder = nn.ModuleList([Block(width, hidden, False) for _ in range(LAYERS)])
        self.decoder = nn.ModuleList([Block(width, hidden, True) for _ in range(LAYERS)])
        self.out = nn.Linear(width, sizes[1])
        self.dropout = nn.Dropout(DROPOUT)
        angles = torch.arange(1000)[:, None] / 10000 ** (torch.arange(0, width, 2) / width)
        self.code = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)

    def forward(self, source: Tensor, lengths: Tensor, target: Tensor) -> Tensor:
        memory = self._embedded(0, source)
        for block in self.encoder:
            memory = block(memory, lengths, None, None)
        x = self._embedded(1, target)
        steps = torch.arange(1, target.shape[1] + 1).repeat(len(target), 1)
        for block in self.decoder:
            x = block(x, steps, memory, lengths)
        return self.out(x)

    def _embedded(self, side: int, tokens: Tensor) -> Tensor:
        embedding: Any = self.embeddings[side]
        scaled = embedding(tokens) * math.sqrt(embedding.embedding_dim)
        return self.dropout(scaled + self.code[: tokens.shape[1]])


def book_loop(split: Any, sizes: tuple[int, int], width: int, hidden: int, steps: int) -> Iterator[int]:
    """Train for ever; yields the pairs of each step."""
    net = BookTransformer(sizes, width, hidden)
    for parameter in net.parameters():
        if parameter.dim() > 1:
            nn.init.xavier_uniform_(parameter)
    optimizer = torch.optim.Adam(net.parameters(), lr=LR)
    pairs = [split[index] for index in range(len(split))]
    source, target = (torch.stack([_padded(pair[side], steps) for pair in pairs]) for side in ("source", "target"))
    lengths = [(tokens != 0).sum(dim=1) for tokens in (source, target)]
    loader: Any = DataLoader(TensorDataset(source, lengths[0], target, lengths[1]), BATCH, shuffle=True)
    while True:
        for inputs, counts, targets, target_counts in loader:
            optimizer.zero_grad()
            logits = net(inputs, counts, targets[:, :-1])
            weights = (torch.arange(steps)[None] < target_counts[:, None] - 1).float()
            losses = F.cross_entropy(logits.permute(0, 2, 1), targets[:, 1:], reduction="none")
            (losses * weights).mean(dim=1).sum().backward()
            norm = torch.sqrt(sum(torch.sum(parameter.grad**2) for parameter in net.parameters()))  # type: ignore[arg-type,operator]
            if norm > 1:
                for parameter in net.parameters():
                    parameter.grad[:] *= 1 / norm  # type: ignore[index]
            optimizer.step()
            yield len(inputs)


def _padded(tokens: Tensor, steps: int) -> Tensor:
    """To `steps` tokens, and one more of the target, which begins with <bos>."""
    size = steps + int(tokens[0] == BEGIN)
    return F.pad(tokens[:size], (0, max(0, size - len(tokens))))


BEGIN = 2  # the index of <bos>


def main() -> None:
    for width, hidden, steps, recipe in SIZES:
        print(f"\n{recipe}, {width} wide, {steps} tokens a sentence")
        overrides = {
            "model.width": width, "model.hidden": hidden, "model.layers": LAYERS, "model.heads": HEADS,
            "model.dropout": DROPOUT, "model.tied": False, "model.pre_norm": False, "loss.label_smoothing": 0.0,
            "optimizer": {"name": "adam", "lr": LR}, "train.batch_size": BATCH,
        }  # fmt: skip

        def plain(
            net: Any, split: Any, device: torch.device, workers: int, width: int = width, hidden: int = hidden,
            steps: int = steps,
        ) -> Iterator[int]:  # fmt: skip
            sizes = (net.source.tokens.num_embeddings, net.target.tokens.num_embeddings)
            return book_loop(split, sizes, width, hidden, steps)

        compare(recipe, overrides, {"the book's": plain}, target="3")


if __name__ == "__main__":
    main()
