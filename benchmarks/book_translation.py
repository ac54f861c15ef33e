"""How Dive into Deep Learning (course edition, 9.5, 9.7, 10.3 to 10.7) trains translators, to be measured against.

Every sentence is padded or cut to a fixed number of tokens; scores are masked with -1e6, and weights of attention kept
on the modules; heads are moved into the batch by transposes; the loss is computed over padding too, and then multiplied
by zero; gradients are clipped by a sum over parameters one by one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import DataLoader, TensorDataset

BATCH, LAYERS, HEADS, DROPOUT, LR = 64, 2, 4, 0.1, 0.005
BEGIN = 2  # the index of <bos>


def train(net: nn.Module, split: Any, steps: int) -> Iterator[int]:
    """For ever; yields the pairs of each step."""
    for name, parameter in net.named_parameters():
        if parameter.dim() > 1 and "embedding" not in name:
            nn.init.xavier_uniform_(parameter)
    optimizer = torch.optim.Adam(net.parameters(), lr=LR)
    loader: Any = DataLoader(TensorDataset(*padded_pairs(split, steps)), BATCH, shuffle=True)
    while True:
        for batch in loader:
            optimizer.zero_grad()
            losses, weights = losses_of(net, batch)
            (losses * weights).mean(dim=1).sum().backward()
            norm = torch.sqrt(sum(torch.sum(parameter.grad**2) for parameter in net.parameters()))  # type: ignore[arg-type,operator]
            if norm > 1:
                for parameter in net.parameters():
                    parameter.grad[:] *= 1 / norm  # type: ignore[index]
            optimizer.step()
            yield len(losses)


def losses_of(net: nn.Module, batch: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Of every target token, and of padding; and what they count: 1, or 0 for padding. (B, steps) each."""
    inputs, counts, targets, target_counts = batch
    logits = net(inputs, counts, targets[:, :-1])
    weights = (torch.arange(targets.shape[1] - 1)[None] < target_counts[:, None] - 1).float()
    return F.cross_entropy(logits.permute(0, 2, 1), targets[:, 1:], reduction="none"), weights


def padded_pairs(split: Any, steps: int) -> list[Tensor]:
    """Sources, their lengths, targets, their lengths."""
    pairs = [split[index] for index in range(len(split))]
    source, target = (torch.stack([_padded(pair[side], steps) for pair in pairs]) for side in ("source", "target"))
    lengths = [(tokens != 0).sum(dim=1) for tokens in (source, target)]
    return [source, lengths[0], target, lengths[1]]


def _padded(tokens: Tensor, steps: int) -> Tensor:
    """To `steps` tokens, and one more of the target, which begins with <bos>."""
    size = steps + int(tokens[0] == BEGIN)
    return F.pad(tokens[:size], (0, max(0, size - len(tokens))))


class BookSeq2Seq(nn.Module):
    """GRU encoder and decoder; each step of the decoder reads the encoder's last state, or what additive attention
    finds with the state before."""

    def __init__(self, sizes: tuple[int, int], width: int, attention: bool) -> None:
        super().__init__()
        self.embeddings = nn.ModuleList([nn.Embedding(size, width) for size in sizes])
        self.encoder = nn.GRU(width, width, LAYERS, dropout=DROPOUT)
        self.decoder = nn.GRU(2 * width, width, LAYERS, dropout=DROPOUT)
        layers = [nn.Linear(width, out, bias=False) for out in (width, width, 1)]
        self.score = nn.ModuleList(layers) if attention else None
        self.dropout = nn.Dropout(DROPOUT)
        self.out = nn.Linear(width, sizes[1])

    def forward(self, source: Tensor, lengths: Tensor, target: Tensor) -> Tensor:
        memory, state = self.encoder(self.embeddings[0](source).permute(1, 0, 2))
        embedded = self.embeddings[1](target).permute(1, 0, 2)
        if self.score is None:
            context = state[-1].repeat(len(embedded), 1, 1)
            return self.out(self.decoder(torch.cat([embedded, context], dim=-1), state)[0]).permute(1, 0, 2)
        found = []
        for x in embedded:
            context = self._look(state[-1], memory.permute(1, 0, 2), lengths)
            step, state = self.decoder(torch.cat([context, x[None]], dim=-1), state)
            found.append(step)
        return self.out(torch.cat(found)).permute(1, 0, 2)

    def _look(self, query: Tensor, memory: Tensor, lengths: Tensor) -> Tensor:
        by_query, by_key, score = self.score  # type: ignore[misc]
        scores = score(torch.tanh(by_query(query)[:, None] + by_key(memory)))[..., 0]
        scores[torch.arange(memory.shape[1])[None] >= lengths[:, None]] = -1e6
        return torch.bmm(self.dropout(F.softmax(scores, dim=-1))[:, None], memory).permute(1, 0, 2)


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
