"""Scores of translations, counted by hand, for texts of words and spaces alone."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence


def grams(parts: Sequence[str], length: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(parts[start : start + length]) for start in range(len(parts) - length + 1))


def bleu(translations: list[str], references: list[list[str]]) -> float:
    """BLEU of a corpus, 0 to 100: n-grams up to 4, and the length of the nearest reference (Papineni et al., 2002)."""
    right, all_of_them, length, wanted = [0] * 4, [0] * 4, 0, 0
    for translation, texts in zip(translations, references, strict=True):
        words = translation.split()
        length += len(words)
        wanted += min((abs(len(text.split()) - len(words)), len(text.split())) for text in texts)[1]
        for order in range(4):
            own, known = grams(words, order + 1), Counter()
            for text in texts:
                known |= grams(text.split(), order + 1)
            right[order] += sum((own & known).values())
            all_of_them[order] += sum(own.values())
    precisions = [math.log(part / whole) for part, whole in zip(right, all_of_them, strict=True)]
    return 100 * math.exp(min(0, 1 - wanted / length) + sum(precisions) / 4)


def chrf(translations: list[str], references: list[list[str]]) -> float:
    """chrF of a corpus, 0 to 100: n-grams of 1 to 6 letters, recall counts 2 to 1 (Popović, 2015)."""
    totals = [[0, 0, 0] for _ in range(6)]
    for translation, texts in zip(translations, references, strict=True):
        counted = [_counts(translation, text) for text in texts]
        best = max(counted, key=_f)
        for total, more in zip(totals, best, strict=True):
            total[:] = [a + b for a, b in zip(total, more, strict=True)]
    return 100 * _f(totals)


def _counts(translation: str, reference: str) -> list[list[int]]:
    own, known = translation.replace(" ", ""), reference.replace(" ", "")
    found = []
    for order in range(1, 7):
        a, b = grams(own, order), grams(known, order)
        length = sum(a.values()) if b else 0  # where the reference is too short for any, none can be right
        found.append([sum((a & b).values()), length, sum(b.values())])
    return found


def _f(counts: list[list[int]]) -> float:
    used = [(right, own, known) for right, own, known in counts if own and known]
    precision = sum(right / own for right, own, _ in used) / max(1, len(used))
    recall = sum(right / known for right, _, known in used) / max(1, len(used))
    return 5 * precision * recall / (4 * precision + recall) if precision + recall else 0.0
