"""Text to integers and back, by characters, words and subwords."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference import texts
from zoo import InputError
from zoo_seq.tokenizing import Tokenizer

TEXT = "the time traveller (for so it will be convenient to speak of him) was expounding a recondite matter to us."
some_text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)


@given(some_text)
def test_characters_are_counted_and_encoded_as_one_by_one(text: str) -> None:
    tokenizer = Tokenizer.train(text, "char")
    assert tokenizer.vocab.tokens == texts.vocab(list(text), ["<unk>"])
    assert tokenizer.encode(text).tolist() == tokenizer.vocab.encode(text)
    assert tokenizer.decode(tokenizer.encode(text).tolist()) == text


@given(some_text)
@settings(deadline=None)
def test_bytes_pairs_lose_nothing(text: str) -> None:
    """Whatever it was trained on: it works on bytes."""
    tokenizer = Tokenizer.train(TEXT, "bpe", max_size=300)
    assert tokenizer.decode(tokenizer.encode(text).tolist()) == text
    assert tokenizer.unknown_share(tokenizer.encode(text)) == 0


@pytest.mark.parametrize("splitter", ["char", "word", "bpe", "wordpiece"])
def test_vocab_json_is_all_that_it_takes(splitter: str) -> None:
    tokenizer = Tokenizer.train(TEXT, splitter, "lower", max_size=300)  # type: ignore[arg-type]
    again = Tokenizer.from_asset(tokenizer.to_asset())
    text = "The Time Machine, again."
    assert again.encode(text).tolist() == tokenizer.encode(text).tolist()
    assert [line.tolist() for line in again.encode_lines([text, "of him"])] == [
        tokenizer.encode(line).tolist() for line in (text, "of him")
    ]
    assert again.to_asset() == tokenizer.to_asset()


@pytest.mark.parametrize("splitter", ["word", "wordpiece"])
def test_words_come_back_with_their_signs(splitter: str) -> None:
    """Both forget the spaces; signs are set as in English and French."""
    text = "the dog's owner (a well-dressed man) says: l'homme d'ici, it's his."
    tokenizer = Tokenizer.train(f"{TEXT} {text}", splitter, max_size=300)  # type: ignore[arg-type]
    assert tokenizer.decode(tokenizer.encode(text).tolist()) == text


@pytest.mark.parametrize("splitter", ["char", "word", "bpe", "wordpiece"])
def test_bytes_that_are_no_text_are_refused(splitter: str) -> None:
    """Python makes half characters of them on the command line."""
    tokenizer = Tokenizer.train(TEXT, splitter, max_size=300)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="not UTF-8: character 3"):
        tokenizer.encode("th\udce9")


@pytest.mark.parametrize(("splitter", "size"), [("bpe", 100), ("wordpiece", 10), ("word", 1)])
def test_a_vocab_too_small_for_its_letters(splitter: str, size: int) -> None:
    with pytest.raises(InputError, match="has no room"):
        Tokenizer.train(TEXT, splitter, max_size=size)  # type: ignore[arg-type]


@pytest.mark.parametrize("splitter", ["bpe", "wordpiece"])
def test_subwords_are_trained_alike_in_every_process(splitter: str) -> None:
    """Their hash is part of the weights' file, which must not depend on the order of a hash table."""
    code = (
        "from zoo_seq.tokenizing import Tokenizer; import json, sys;"
        f"print(json.dumps(Tokenizer.train({TEXT * 3!r}, {splitter!r}, max_size=320).to_asset()))"
    )
    first, second = (subprocess.run([sys.executable, "-c", code], capture_output=True, check=True) for _ in "12")
    assert first.stdout == second.stdout != b""


@pytest.mark.parametrize(
    "text",
    ["a (small) fish, and a mug.", "l'homme n'est pas là", "quatre-vingt-onze mille", "what? no!"],
)
def test_words_are_set_as_they_were(text: str) -> None:
    tokenizer = Tokenizer.train(text, "word")
    assert tokenizer.decode(tokenizer.encode(text).tolist()) == text


def test_letters_are_the_books() -> None:
    """Dive into Deep Learning 9.2: what is no letter becomes one space."""
    tokenizer = Tokenizer.train("The Time Machine, by H. G. Wells [1898]", "char", "letters")
    assert tokenizer.decode(tokenizer.encode("The Time Machine, by H. G. Wells [1898]").tolist()) == (
        "the time machine by h g wells"
    )


def test_unknown_tokens_are_counted() -> None:
    tokenizer = Tokenizer.train("abab", "char")
    assert tokenizer.encode("azbz").tolist() == [1, 0, 2, 0]
    assert tokenizer.unknown_share(tokenizer.encode("azbz")) == 0.5
    assert tokenizer.unknown_share(torch.zeros(0)) == 0


def test_a_text_of_nothing_has_no_vocab() -> None:
    with pytest.raises(InputError, match="no token"):
        Tokenizer.train("...", "char", "letters")
