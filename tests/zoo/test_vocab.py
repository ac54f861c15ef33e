"""Vocabs, and what a run folder makes sure of."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import texts
from zoo import InputError, Vocab

words = st.lists(st.sampled_from(["a", "b", "c", "dd", "ee", "<unk>"]), max_size=30)


@given(words)
def test_tokens_are_in_the_order_of_the_slow_count(tokens: list[str]) -> None:
    """By frequency, then by the alphabet: neither the text's order nor a seed nor a file system has a say."""
    expected = texts.vocab(tokens, ["<unk>"])
    assert Vocab.build(Counter(tokens)).tokens == expected
    assert Vocab.build(Counter(reversed(tokens))).tokens == expected


@given(words)
def test_known_tokens_come_back(tokens: list[str]) -> None:
    vocab = Vocab.build(Counter(tokens))
    assert vocab.decode(vocab.encode(tokens)) == tokens
    assert Vocab.from_asset(vocab.to_asset()).tokens == vocab.tokens


def test_rare_tokens_and_those_beyond_the_size_are_unknown() -> None:
    vocab = Vocab.build({"a": 5, "b": 4, "c": 3, "d": 1}, min_count=2, max_size=3)
    assert vocab.tokens == ["<unk>", "a", "b"]
    assert vocab.encode(["a", "c", "d"]) == [1, 0, 0]


def test_a_size_has_room_for_the_reserved_tokens_and_one_more() -> None:
    """By hand; what is reserved stands first, once, whatever its count."""
    counts = {"a": 1, "b": 2, "<pad>": 9}
    assert Vocab.build(counts, ["<unk>", "<pad>"], max_size=3).tokens == ["<unk>", "<pad>", "b"]
    assert Vocab.build(counts, ["<unk>", "<pad>"], min_count=2).tokens == ["<unk>", "<pad>", "b"]
    for size in (1, 2):
        with pytest.raises(InputError, match=f"a vocab of {size} has no room"):
            Vocab.build(counts, ["<unk>", "<pad>"], max_size=size)


def test_a_vocab_knows_what_it_holds() -> None:
    vocab = Vocab(["a", "<unk>", "b"])
    assert (len(vocab), "b" in vocab, "c" in vocab, vocab.unknown) == (3, True, False, 1)
    assert vocab.encode(["b", "c", "a"]) == [2, 1, 0]
    assert Vocab(["a"]).unknown is None


def test_without_an_unknown_token_a_new_one_is_an_error() -> None:
    with pytest.raises(InputError, match="'z'"):
        Vocab(["a", "b"]).encode(["a", "z"])


def test_a_token_has_one_index() -> None:
    with pytest.raises(InputError, match="`a` twice"):
        Vocab(["a", "b", "a"])


@pytest.mark.parametrize("asset", [{}, {"tokens": "abc"}, {"tokens": [1, 2]}])
def test_an_asset_that_is_no_vocab_is_refused(asset: dict[str, object]) -> None:
    with pytest.raises(InputError, match="no list of `tokens`"):
        Vocab.from_asset(asset)
