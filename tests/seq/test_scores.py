"""Scores of translations, counted by hand."""

from __future__ import annotations

import math

import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference import scores as reference
from zoo_seq.translation.metrics import BLEU, BookBLEU, ChrF, book_bleu

SENTENCE = "the cat sat on the mat and looked at me"
texts = st.lists(st.sampled_from(SENTENCE.split()), min_size=1, max_size=8).map(" ".join)


@given(st.lists(st.tuples(texts, st.lists(texts, min_size=1, max_size=3)), min_size=1, max_size=4), st.integers(1, 3))
@settings(deadline=None, max_examples=30)
def test_scores_of_a_corpus_are_counted_over_all_of_it(pairs: list[tuple[str, list[str]]], size: int) -> None:
    """BLEU and chrF against counts by hand: some sentences have more references than others, and batches add up. The
    first sentence is right, so that no count is 0 and nothing is smoothed."""
    pairs = [(SENTENCE, [SENTENCE, "a mat"]), *pairs]
    translations, references = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    for metric, slow in ((BLEU(), reference.bleu), (ChrF(), reference.chrf)):
        for start in range(0, len(pairs), size):
            metric.update(translations[start : start + size], references[start : start + size])
        assert float(metric.compute()) == pytest.approx(slow(translations, references), abs=1e-3)
        metric.reset()
        metric.update([SENTENCE], [[SENTENCE]])
        assert float(metric.compute()) == pytest.approx(100)


def test_every_reference_counts() -> None:
    """By hand: all four of "a b c d e f"'s n-grams are in one reference or the other, and its length is that of the
    first."""
    metric = BLEU()
    metric.update(["a b c d e f"], [["a b c d x x", "y y c d e f a b c d e"]])
    assert float(metric.compute()) == pytest.approx(100)
    metric = BLEU()
    metric.update(["a b c d e f"], [["a b c d x x"]])
    assert float(metric.compute()) == pytest.approx(100 * (4 / 6 * 3 / 5 * 2 / 4 * 1 / 3) ** 0.25)


def test_case_counts_unless_it_is_told_not_to() -> None:
    for make in (BLEU, ChrF):
        plain, lower = make(), make(lowercase=True)
        for metric in (plain, lower):
            metric.update([SENTENCE], [[SENTENCE.upper()]])
        assert float(plain.compute()) < 1 < float(lower.compute()) == pytest.approx(100)


def test_scores_are_sacrebleus_and_signed() -> None:
    """One reference a sentence, as everywhere in its documentation; the signature says how it was computed."""
    found, wanted = ["The cat sat on a mat.", "hello there"], ["The cat sat on the mat.", "hello there you"]
    bleu, chrf = BLEU(), ChrF()
    assert bleu.signature == chrf.signature == ""
    for metric, whole in ((bleu, sacrebleu.corpus_bleu), (chrf, sacrebleu.corpus_chrf)):
        metric.update(found, [[text] for text in wanted])
        assert float(metric.compute()) == pytest.approx(whole(found, [wanted]).score)
        assert metric.higher_is_better
    assert bleu.signature.startswith("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:")
    assert chrf.signature.startswith("nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:")
    bleu.update(["a"], [["a", "b"]])
    assert bleu.signature.startswith("nrefs:var|")


def test_the_books_bleu_by_hand() -> None:
    """Precision 4/5 of words and 3/4 of pairs, no penalty: 0.8^(1/2) x 0.75^(1/4); a word alone has no pair."""
    metric = BookBLEU()
    metric.update(["a b c d e"], [["a b c d"]])
    assert float(metric.compute()) == pytest.approx(0.8**0.5 * 0.75**0.25)
    metric.reset()
    metric.update(["a", "", "va!"], [["a b"], ["a"], ["va !"]])
    assert metric.scores == pytest.approx([math.exp(-1), 0, 1])


def test_the_books_bleu_of_short_and_repeated_words() -> None:
    """By hand: a word counts as often as the reference has it; (1/3)^(1/2) and 0 pairs; three words for four."""
    assert book_bleu("a a a", "a b", 1) == pytest.approx((1 / 3) ** 0.5)
    assert book_bleu("a a a", "a b", 2) == 0
    assert book_bleu("a b c", "a b c d", 3) == pytest.approx(math.exp(1 - 4 / 3))
    assert book_bleu("a b d", "a b c d", 3) == 0
    assert book_bleu("a b x", "a b c", 2) == pytest.approx((2 / 3) ** 0.5 * (1 / 2) ** 0.25)
    assert book_bleu("a b c x", "a b c d", 3) == pytest.approx((3 / 4) ** 0.5 * (2 / 3) ** 0.25 * (1 / 2) ** 0.125)


def test_the_books_bleu_is_a_mean_over_sentences_beside_the_best_reference() -> None:
    metric = BookBLEU(n=1)
    metric.update(["a b", "c"], [["x y", "a y"], ["c"]])
    assert float(metric.compute()) == pytest.approx((0.5**0.5 + 1) / 2)
