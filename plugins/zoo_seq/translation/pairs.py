"""Pairs of sentences -> splits whose batches hold sentences of like length."""

from __future__ import annotations

import copy
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch

from zoo import Batch, Data, InputError
from zoo_seq.tokenizing import BEGIN, END, PAD, UNKNOWN, Normalize, Splitter, Tokenizer, normalized

RESERVED = (PAD, UNKNOWN, BEGIN, END)
PADDING = 0  # the index of <pad>
ROOM = 1.5  # times the longest sentence: how long a translation may become

Pair = tuple[str, ...]  # a source, its translation, and other translations where there are any


def translation_data(
    pairs: dict[str, list[Pair]],
    name: str,
    splitter: Splitter,
    normalize: Normalize,
    min_count: int,
    max_vocab: int | None,
    joint: bool,
    longest: int | None,
    vocabs: Sequence[dict[str, Any] | None] = (None, None),
) -> Data:
    """Splits of pairs; the vocabs are those of the weights, or counted in `train`.

    Args:
        joint: one vocab for both languages.
        longest: pairs of `train` with more tokens on a side are left out.

    Raises:
        InputError: there is no pair to train on.
    """
    for split, own in pairs.items():
        pairs[split] = [pair for pair in own if all(text.strip() for text in pair)]
        if lost := len(own) - len(pairs[split]):
            print(f"{name}: {lost} pairs of `{split}` have an empty side and are left out", file=sys.stderr)
        if not pairs[split]:
            raise InputError(f"{name} has no pair of sentences in `{split}`")
    train = partial(
        Tokenizer.train,
        splitter=splitter,
        normalize=normalize,
        reserved=RESERVED,
        min_count=min_count,
        max_size=max_vocab,
    )
    both = [Tokenizer.from_asset(vocab) for vocab in vocabs if vocab]
    if len(both) < 2:
        sides = ["\n".join(pair[side] for pair in pairs["train"]) for side in (0, 1)]
        both = [train("\n".join(sides))] * 2 if joint else [train(side) for side in sides]
    splits = {split: Pairs(own, both) for split, own in pairs.items()}
    for split, encoded in splits.items():
        for side, tokenizer in zip(("source", "target"), both, strict=True):
            if share := tokenizer.unknown_share(getattr(encoded, side).numbers):
                print(f"{name}: {share:.2%} of the {side} tokens of `{split}` are not in the vocab", file=sys.stderr)
    if longest is not None:
        splits["train"].leave_out(longest, name)
    length = max(int(split.lengths.max()) for split in splits.values())
    sizes = [len(tokenizer.vocab) for tokenizer in both]
    return Data(
        splits=splits,
        facts={
            "source_vocab_size": sizes[0],
            "target_vocab_size": sizes[1],
            "num_classes": sizes[1],
            "vocab_size": sizes[1],
            "pad_index": PADDING,
            "ignore_index": PADDING,
            "one_vocab": both[0].vocab.tokens == both[1].vocab.tokens,
            "max_length": int(ROOM * length) + 1,
        },
        assets={"source_vocab": both[0].to_asset(), "target_vocab": both[1].to_asset()},
    )


def gathered(pairs: Sequence[Pair]) -> list[Pair]:
    """Each source once, with all of its translations that differ."""
    translations: dict[str, dict[str, None]] = {}
    for source, *texts in pairs:
        translations.setdefault(source, {}).update(dict.fromkeys(texts))
    return [(source, *texts) for source, texts in translations.items()]


class Pairs(torch.utils.data.Dataset[Batch]):
    """A map-style split: `source`, tokens and `<eos>`; `target`, `<bos>`, tokens and `<eos>`; `references`, texts.

    The target is the first of a source's translations, and all are references.
    Its training batches hold sentences of like length, and all about as many tokens: `size` pairs of mean length.
    """

    def __init__(self, pairs: Sequence[Pair], tokenizers: Sequence[Tokenizer]) -> None:
        source, target = tokenizers
        begin, end = (target.vocab.index[token] for token in (BEGIN, END))
        self.source = Ragged(source.encode_lines([pair[0] for pair in pairs]), after=source.vocab.index[END])
        self.target = Ragged(target.encode_lines([pair[1] for pair in pairs]), before=begin, after=end)
        self.references = [[normalized(text, target.normalize) for text in pair[1:]] for pair in pairs]
        self.names = [str(number) for number in range(1, len(pairs) + 1)]
        self.lengths = torch.maximum(self.source.lengths, self.target.lengths)

    def __len__(self) -> int:
        return len(self.references)

    def __getitem__(self, index: int) -> Batch:
        return {"source": self.source[index], "target": self.target[index], "references": self.references[index]}

    def batch(self, indices: torch.Tensor) -> Batch:
        """Samples of the given indices, padded."""
        references = [self.references[index] for index in indices.tolist()]
        return {"source": self.source.padded(indices), "target": self.target.padded(indices), "references": references}

    def batching(self, size: int, generator: torch.Generator) -> list[torch.Tensor]:
        return by_length(self.lengths, size, generator)

    def leave_out(self, longest: int, name: str) -> None:
        """Pairs with more tokens than that on a side, `<eos>` and `<bos>` included."""
        kept = (self.lengths <= longest).nonzero().flatten()
        if not len(kept):
            raise InputError(f"{name}: no pair has at most {longest} tokens on each side")
        if left_out := len(self) - len(kept):
            print(f"{name}: {left_out} pairs are longer than {longest} tokens, and are not trained on", file=sys.stderr)
        self._choose(kept)

    def subset(self, indices: torch.Tensor) -> Pairs:
        """Return the pairs of these indices alone."""
        pairs = copy.copy(self)
        pairs._choose(indices)
        return pairs

    def _choose(self, indices: torch.Tensor) -> None:
        self.source, self.target = self.source.rows(indices), self.target.rows(indices)
        self.references = [self.references[index] for index in indices.tolist()]
        self.names = [self.names[index] for index in indices.tolist()]
        self.lengths = self.lengths[indices]


class Ragged:
    """Rows of integers of different lengths, in one tensor."""

    def __init__(self, rows: Sequence[torch.Tensor], before: int | None = None, after: int | None = None) -> None:
        edges = [torch.tensor([] if edge is None else [edge], dtype=torch.int64) for edge in (before, after)]
        self.lengths = torch.tensor([len(row) for row in rows]) + sum(map(len, edges))
        self.numbers = torch.cat([part for row in rows for part in (edges[0], row, edges[1])])
        self.starts = self.lengths.cumsum(0) - self.lengths

    def __getitem__(self, index: int) -> torch.Tensor:
        start = int(self.starts[index])
        return self.numbers[start : start + int(self.lengths[index])]

    def padded(self, rows: torch.Tensor) -> torch.Tensor:
        """(R, T), as long as the longest of these rows."""
        lengths = self.lengths[rows][:, None]
        places = torch.arange(int(lengths.max()))
        numbers = self.numbers[(self.starts[rows][:, None] + places).clamp_(max=len(self.numbers) - 1)]
        return numbers.masked_fill_(places >= lengths, PADDING)

    def rows(self, indices: torch.Tensor) -> Ragged:
        """Return the rows of these indices alone; the numbers are shared."""
        chosen = copy.copy(self)
        chosen.starts, chosen.lengths = self.starts[indices], self.lengths[indices]
        return chosen


def by_length(lengths: torch.Tensor, size: int, generator: torch.Generator) -> list[torch.Tensor]:
    """Batches of like length, in random order: as many places, padding included, as `size` mean lengths have."""
    order = (lengths + torch.rand(len(lengths), generator=generator)).argsort()
    budget = size * float(lengths.float().mean())
    cuts, start = [], 0
    for place, length in enumerate(lengths[order].tolist()):
        if place > start and (place + 1 - start) * length > budget:
            cuts.append(place)
            start = place
    batches = order.tensor_split(cuts)
    return [batches[index] for index in torch.randperm(len(batches), generator=generator).tolist()]
