"""BLEU and chrF, by sacrebleu; and the book's BLEU."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

import torch

BOOK_WORDS = re.compile(r"[^\s,.!?]+|[,.!?]")  # four signs are words of their own (10.5.2)


class _Corpus:
    """Takes translations, and the references of each, and scores them all at once."""

    higher_is_better = True

    def __init__(self, metric: Any) -> None:
        self.metric = metric
        self.reset()

    def update(self, predictions: Sequence[str], target: Sequence[Sequence[str]]) -> None:
        self.predictions += predictions
        self.references += target

    def compute(self) -> torch.Tensor:
        columns = list(zip_longest(*self.references))  # the first of all, the second of all ...
        return torch.tensor(self.metric.corpus_score(self.predictions, columns).score)

    def reset(self) -> None:
        self.predictions: list[str] = []
        self.references: list[Sequence[str]] = []

    @property
    def signature(self) -> str:
        """How it was computed, as sacrebleu says it: results.json keeps it."""
        if not self.predictions:
            return ""
        self.compute()
        return str(self.metric.get_signature())


class BLEU(_Corpus):
    """Corpus BLEU, from 0 to 100 (Papineni et al., 2002), by sacrebleu (Post, 2018).

    Args:
        lowercase: case does not count.
    """

    def __init__(self, lowercase: bool = False) -> None:
        from sacrebleu.metrics.bleu import BLEU as Corpus  # noqa: N811

        super().__init__(Corpus(lowercase=lowercase))


class ChrF(_Corpus):
    """Character n-gram F-score, from 0 to 100 (Popović, 2015), by sacrebleu.

    Args:
        lowercase: case does not count.
    """

    def __init__(self, lowercase: bool = False) -> None:
        from sacrebleu.metrics.chrf import CHRF

        super().__init__(CHRF(lowercase=lowercase))


class BookBLEU:
    """Dive into Deep Learning's BLEU (10.7.6), from 0 to 1: of each sentence by itself, then the mean.

    Precisions of n-grams to the power of 1 / 2^n, and a penalty for short translations, on words and . , ! ?. N-grams
    longer than a translation do not count; a translation without a word gets 0. Of several references the one that
    scores best counts.

    Args:
        n: of the longest n-grams.
    """

    higher_is_better = True

    def __init__(self, n: int = 2) -> None:
        self.n = n
        self.reset()

    def update(self, predictions: Sequence[str], target: Sequence[Sequence[str]]) -> None:
        for prediction, references in zip(predictions, target, strict=True):
            self.scores.append(max(book_bleu(prediction, reference, self.n) for reference in references))

    def compute(self) -> torch.Tensor:
        return torch.tensor(sum(self.scores) / max(1, len(self.scores)))

    def reset(self) -> None:
        self.scores: list[float] = []


def book_bleu(prediction: str, reference: str, n: int) -> float:
    """Score one sentence."""
    found, wanted = BOOK_WORDS.findall(prediction), BOOK_WORDS.findall(reference)
    if not found:
        return 0.0
    score = math.exp(min(0.0, 1 - len(wanted) / len(found)))
    for length in range(1, min(n, len(found)) + 1):
        own, known = (
            Counter(zip(*(words[start:] for start in range(length)), strict=False)) for words in (found, wanted)
        )
        score *= (sum((own & known).values()) / sum(own.values())) ** 0.5**length
    return score
