"""Greedy decoding and beam search against lists of Python, and against cases made by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference import search as reference
from zoo_seq.translation.decoding import beam_search, greedy
from zoo_seq.translation.seq2seq import Seq2Seq
from zoo_seq.translation.transformer import Transformer

BEGIN, END, VOCAB = 1, 2, 6


def some_model(seed: int, kind: str) -> Any:
    """Weights of a fresh network make all tokens alike; these have preferences, and so do beams."""
    torch.manual_seed(seed)
    if kind == "transformer":
        model: Any = Transformer(VOCAB, VOCAB, 0, 40, width=16, layers=1, heads=2).eval()
    else:
        model = Seq2Seq(VOCAB, VOCAB, 0, width=16, layers=2, attention=kind, bidirectional=kind == "dot").eval()  # type: ignore[arg-type]
    with torch.no_grad():
        model.out.weight.mul_(6)
    return model


kinds = st.sampled_from(["transformer", "none", "additive", "dot"])


@given(st.integers(0, 200), kinds, st.integers(1, 5), st.sampled_from([0.0, 0.6, 1.0, 2.0]), st.integers(1, 7))
@settings(deadline=None, max_examples=25)
def test_a_beam_search_is_that_over_lists(seed: int, kind: str, beam: int, penalty: float, length: int) -> None:
    """Three sentences in a batch against one by one, with and without attention, pruned, and with each penalty."""
    model = some_model(seed, kind)
    source = torch.randint(3, VOCAB, (3, 5))
    source[1, 3:] = 0
    with torch.inference_mode():
        found, scores = beam_search(model, source, BEGIN, END, length, beam, penalty)
        for row, score, text in zip(found.tolist(), scores.tolist(), source, strict=True):
            tokens, expected = reference.beam_search(model, text[text != 0][None], BEGIN, END, length, beam, penalty)
            assert row == tokens + [END] * (found.shape[1] - len(tokens))
            assert score == pytest.approx(expected, abs=1e-3)


@given(st.integers(0, 200), kinds)
@settings(deadline=None, max_examples=10)
def test_greedy_is_a_beam_of_one_and_a_wider_one_no_worse(seed: int, kind: str) -> None:
    model = some_model(seed, kind)
    source = torch.randint(3, VOCAB, (4, 7))
    source[2, 3:] = 0
    with torch.inference_mode():
        tokens, score = greedy(model, source, BEGIN, END, 12)
        _, wide = beam_search(model, source, BEGIN, END, 12, 4)
        for row, total, text in zip(tokens.tolist(), score.tolist(), source, strict=True):
            slow, expected = reference.beam_search(model, text[text != 0][None], BEGIN, END, 12, 1, 0.0)
            assert row == slow + [END] * (tokens.shape[1] - len(slow))
            assert total == pytest.approx(expected, abs=1e-3)
    assert bool((wide >= score - 1e-4).all())


class Told:
    """Says a token's probability by what came before: all that is not stated shares the rest."""

    def __init__(self, stated: dict[tuple[int, ...], dict[int, float]]) -> None:
        self.stated = stated

    def begin(self, source: torch.Tensor) -> Texts:
        return Texts([() for _ in source])

    def step(self, tokens: torch.Tensor, state: Texts) -> tuple[torch.Tensor, Texts]:
        texts = [(*text, token) for text, token in zip(state.texts, tokens.tolist(), strict=True)]
        rows = []
        for text in texts:
            stated = self.stated.get(text[1:], {END: 0.99})
            rest = (1 - sum(stated.values())) / (VOCAB - len(stated))
            rows.append([math.log(stated.get(token, rest)) for token in range(VOCAB)])
        return torch.tensor(rows), Texts(texts)


class Texts:
    """What has been read."""

    def __init__(self, texts: list[tuple[int, ...]]) -> None:
        self.texts = texts

    def rows(self, chosen: torch.Tensor) -> Texts:
        return Texts([self.texts[row] for row in chosen.tolist()])


SURE = 1 - 1e-9
SOURCE = torch.zeros(1, 1, dtype=torch.int64)


@pytest.mark.parametrize(("penalty", "best"), [(0.0, 1), (0.6, 4), (1.0, 9)])
def test_a_penalty_chooses_by_length(penalty: float, best: int) -> None:
    """Three translations of 1, 4 and 9 tokens with log-probabilities -1, -1.2 and -1.7. Divided by ((5 + n) / 6)^0.6
    these are -1, -0.941 and -1.022; by ((5 + n) / 6)^1 they are -1, -0.8 and -0.729."""
    stated: dict[tuple[int, ...], dict[int, float]] = {(): {END: math.exp(-1), 3: math.exp(-1.2), 4: math.exp(-1.7)}}
    for token, length in ((3, 4), (4, 9)):
        for place in range(1, length):
            stated[(token,) * place] = {token if place < length - 1 else END: SURE}
    found, score = beam_search(Told(stated), SOURCE, BEGIN, END, 12, 3, penalty)
    tokens = found[0].tolist()
    assert tokens.index(END) + 1 == best
    assert float(score) == pytest.approx({1: -1, 4: -1.2, 9: -1.7}[best], abs=1e-5)


def test_a_penalty_counts_from_five_tokens() -> None:
    """Two tokens are better than one where they are less than 7/6 as unlikely, and only then."""
    for share, best in ((1.16, 2), (1.17, 1)):
        stated = {(): {END: math.exp(-1), 3: math.exp(-share)}, (3,): {END: SURE}}
        found, _ = beam_search(Told(stated), SOURCE, BEGIN, END, 12, 2, 1.0)
        assert found[0].tolist().index(END) + 1 == best


def test_what_greed_finds_is_never_given_up() -> None:
    """By hand: after two tokens 0.4 x 0.5 and 0.4 x 0.45 are better than greed's 0.5 x 0.3, and lead nowhere."""
    stated = {
        (): {3: 0.5, 4: 0.4}, (3,): {3: 0.3, 4: 0.29, 5: 0.28}, (4,): {5: 0.5, 4: 0.45}, (3, 3): {END: SURE},
        (4, 5): {END: 0.2}, (4, 4): {END: 0.2},
    }  # fmt: skip
    tokens, total = beam_search(Told(stated), SOURCE, BEGIN, END, 3, 2)
    assert tokens.tolist() == [[3, 3, END]] and total.exp().item() == pytest.approx(0.15)


def test_a_beam_finds_what_greed_misses_and_prunes_what_is_unlikely() -> None:
    """By hand: 0.5 x 0.4 for the likeliest first token, 0.4 x 0.9 for the second; a third of 0.06 x 1 is given up by a
    beam of two. A translation that has ended is not gone on with."""
    stated = {(): {3: 0.5, 4: 0.4, 5: 0.06}, (3,): {END: 0.4, 4: 0.3}, (4,): {END: 0.9}, (5,): {END: SURE}}
    tokens, total = greedy(Told(stated), SOURCE, BEGIN, END, 5)
    assert (tokens.tolist(), total.exp().item()) == ([[3, END]], pytest.approx(0.2))
    tokens, total = beam_search(Told(stated), SOURCE, BEGIN, END, 5, 2)
    assert tokens[0, :2].tolist() == [4, END] and total.exp().item() == pytest.approx(0.36)
    assert set(tokens[0, 2:].tolist()) <= {END}


def test_a_translation_that_does_not_end_is_as_long_as_it_may_be() -> None:
    endless = Told({(3,) * length: {3: SURE} for length in range(9)})
    assert greedy(endless, SOURCE, BEGIN, END, 4)[0].tolist() == [[3] * 4]
    assert beam_search(endless, SOURCE, BEGIN, END, 4, 2)[0].tolist() == [[3] * 4]


def test_scores_of_half_precision_are_added_up_in_full() -> None:
    """The model's bf16 logits are as they are, their logarithms and sums are not rounded to two digits."""

    class Half(Told):
        def step(self, tokens: torch.Tensor, state: Texts) -> tuple[torch.Tensor, Texts]:
            logits, after = super().step(tokens, state)
            return logits.exp().bfloat16(), after

    told = Half({(3,) * length: {3: 0.5} for length in range(9)})
    row = torch.tensor([0.5 if token == 3 else 0.1 for token in range(VOCAB)]).bfloat16().float()
    expected = 8 * float(row.log_softmax(0)[3])
    for _, total in (greedy(told, SOURCE, BEGIN, END, 8), beam_search(told, SOURCE, BEGIN, END, 8, 1)):
        assert total.dtype == torch.float32 and float(total) == pytest.approx(expected, rel=1e-5)


def test_sentences_of_a_batch_end_by_themselves() -> None:
    """The first sentence, which has ended, waits for the second with its score unchanged."""

    class Two(Told):
        def step(self, tokens: torch.Tensor, state: Texts) -> tuple[torch.Tensor, Texts]:
            logits, after = super().step(tokens, state)
            if len(state.texts[1]) < 3:  # the second of two goes on for three tokens
                logits[1] = torch.tensor([0.0, 0, 0, 9, 0, 0]).log_softmax(0)
            return logits, after

    tokens, total = greedy(Two({(): {END: 0.7}}), SOURCE.expand(2, 1), BEGIN, END, 9)
    assert tokens.tolist() == [[END] * 4, [3, 3, 3, END]]
    assert total[0].exp().item() == pytest.approx(0.7)
