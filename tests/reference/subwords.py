"""Byte pairs and WordPiece, a merge or a piece at a time."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

Word = tuple[str, ...]


def merged(word: Word, left: str, right: str) -> Word:
    """Each `left` that stands before a `right` is one with it."""
    out: list[str] = []
    for part in word:
        if out and (out[-1], part) == (left, right) and part:
            out[-1] += part
        else:
            out.append(part)
    return tuple(out)


def learned_merges(words: dict[str, int], count: int) -> list[str]:
    """The most frequent pair becomes one, again and again (Sennrich et al., 2016, algorithm 1)."""
    left, merges = {tuple(word): times for word, times in words.items()}, []
    for _ in range(count):
        pairs: Counter[tuple[str, str]] = Counter()
        for word, times in left.items():
            for pair in pairwise(word):
                pairs[pair] += times
        best = pairs.most_common(1)[0][0]
        merges.append(" ".join(best))
        left = {merged(word, *best): times for word, times in left.items()}
    return merges


def byte_pairs(word: str, merges: list[str]) -> list[str]:
    """All merges in the order in which they were learned."""
    parts: Word = tuple(word)
    for merge in merges:
        parts = merged(parts, *merge.split(" "))
    return list(parts)


def word_pieces(word: str, vocab: list[str]) -> list[str]:
    """The longest piece that the vocab has, then the longest of the rest, which is marked with ##."""
    pieces, start = [], 0
    while start < len(word):
        fitting = [end for end in range(start + 1, len(word) + 1) if ("##" * (start > 0) + word[start:end]) in vocab]
        if not fitting:
            return ["<unk>"]
        pieces.append("##" * (start > 0) + word[start : max(fitting)])
        start = max(fitting)
    return pieces
