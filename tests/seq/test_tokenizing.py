"""Text to integers and back, by characters, words and subwords."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference import subwords as reference
from tests.reference import texts
from zoo import InputError
from zoo_seq import subwords, tokenizing
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
def test_a_text_of_nothing_has_no_tokens(splitter: str) -> None:
    """They are whole numbers all the same, or they could not be put beside others."""
    tokenizer = Tokenizer.train(TEXT, splitter, max_size=300)  # type: ignore[arg-type]
    for tokens in (tokenizer.encode(""), *tokenizer.encode_lines([""])):
        assert tokens.shape == (0,) and tokens.dtype == torch.int64


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
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    own = Tokenizer.train(TEXT * 3, splitter, max_size=320).to_asset()  # type: ignore[arg-type]
    assert json.loads(other.stdout) == own


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


# Subwords, a merge and a piece at a time

COUNTS = {"ab": 10, "abc": 7, "de": 5, "def": 4, "g": 1}
some_words = st.lists(st.text("abcdefg", min_size=1, max_size=12), min_size=1, max_size=6)


def counted(splitter: str, size: int, **more: int) -> Tokenizer:
    """A line a word: a space would be a byte of the word that follows."""
    text = "\n".join(word for word, count in COUNTS.items() for _ in range(count))
    return Tokenizer.train(text, splitter, max_size=size, **more)  # type: ignore[arg-type]


def test_merges_are_learned_in_the_order_of_their_counts() -> None:
    """By hand: a b is there 17 times, d e 9, ab c 7 and de f 4. The vocab has a mark, 256 bytes, and these."""
    tokenizer = counted("bpe", 261)
    assert tokenizer.merges == reference.learned_merges(COUNTS, 4) == ["a b", "d e", "ab c", "de f"]
    assert tokenizer.vocab.tokens[0] == "<unk>" and tokenizer.vocab.tokens[257:] == ["ab", "de", "abc", "def"]
    assert counted("bpe", 261, min_count=5).merges == ["a b", "d e", "ab c"]
    assert counted("bpe", 259).merges == ["a b", "d e"]


@given(some_words)
@settings(deadline=None)
def test_byte_pairs_are_merged_in_the_order_in_which_they_were_learned(words: list[str]) -> None:
    tokenizer = counted("bpe", 261)
    lines = [[tokenizer.vocab.tokens[index] for index in line] for line in tokenizer.encode_lines(words)]
    assert lines == [reference.byte_pairs(word, tokenizer.merges) for word in words]
    assert tokenizer.decode(tokenizer.encode(" ".join(words)).tolist()) == " ".join(words)


def test_the_order_of_merges_counts() -> None:
    """b c before a b makes a, bc of abc."""
    tokens = ["<unk>", "a", "b", "c", "ab", "bc"]
    for merges, pieces in ((["b c", "a b"], ["a", "bc"]), (["a b", "b c"], ["ab", "c"])):
        tokenizer = Tokenizer.from_asset({"tokens": tokens, "splitter": "bpe", "normalize": "none", "merges": merges})
        assert [tokens[index] for index in tokenizer.encode("abc")] == pieces == reference.byte_pairs("abc", merges)


@given(some_words)
@settings(deadline=None)
def test_word_pieces_are_the_longest_that_fit(words: list[str]) -> None:
    tokenizer = counted("wordpiece", 24)
    assert {"abc", "def", "##c", "##f"} <= set(tokenizer.vocab.tokens)
    expected = [piece for word in words for piece in reference.word_pieces(word, tokenizer.vocab.tokens)]
    assert [tokenizer.vocab.tokens[index] for index in tokenizer.encode(" ".join(words))] == expected
    assert tokenizer.decode(tokenizer.encode(" ".join(words)).tolist()) == " ".join(words)


def test_a_word_that_has_a_strange_letter_is_unknown() -> None:
    """Or more than a hundred, as in BERT."""
    tokenizer = counted("wordpiece", 24)
    assert [tokenizer.unknown_share(tokenizer.encode("ab" * 50 + more)) for more in ("", "c")] == [0, 1]
    assert [tokenizer.vocab.tokens[index] for index in tokenizer.encode("abz ab")] == ["<unk>", "ab"]
    assert tokenizer.unknown_share(tokenizer.encode("abz ab")) == 0.5


@pytest.mark.parametrize("splitter", ["bpe", "wordpiece"])
def test_a_long_text_is_read_in_pieces(splitter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two lines each, here: nothing is lost or read twice, the last line without its end neither."""
    text = "\n".join(f"abc de {'fg' * number}" for number in range(9))
    tokenizer = counted(splitter, 400)
    lines = [index for line in text.splitlines(keepends=True) for index in tokenizer.encode(line).tolist()]
    monkeypatch.setattr(subwords, "PIECE", 160)
    assert tokenizer.encode(text).tolist() == lines
    assert [len(piece.splitlines()) for piece in subwords._pieces(text)] == [2, 2, 2, 2, 1]


def test_subwords_are_eight_thousand_unless_it_is_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(tokenizing, "train_subwords", lambda *given: calls.append(given) or (["<unk>", "a"], []))
    Tokenizer.train("A a", "wordpiece", "lower")
    Tokenizer.train("a", "wordpiece", reserved=("<pad>",), min_count=3, max_size=9)
    assert calls == [("wordpiece", "a a", ("<unk>",), 1, 8000), ("wordpiece", "a", ("<pad>",), 3, 9)]


# Words and characters, by hand


def test_words_are_runs_of_letters_and_single_signs() -> None:
    """A mark such as <unk> is one."""
    text = "Déjà_vu, don't: 3.5 <unk>?! <a b>"
    expected = ["Déjà_vu", ",", "don", "'", "t", ":", "3", ".", "5", "<unk>", "?", "!", "<", "a", "b", ">"]
    tokenizer = Tokenizer.train(text, "word")
    assert [tokenizer.vocab.tokens[index] for index in tokenizer.encode(text)] == expected
    assert sorted(tokenizer.vocab.tokens) == sorted(set(expected))


@pytest.mark.parametrize("splitter", ["char", "word"])
def test_vocabs_are_as_large_as_they_may_be(splitter: str) -> None:
    """By hand: a three times, b and c twice, d once; marks come first."""
    text = "a a a c b b c d".replace(" ", " " if splitter == "word" else "")

    def tokens(**more: object) -> list[str]:
        return Tokenizer.train(text, splitter, **more).vocab.tokens  # type: ignore[arg-type]

    assert tokens() == ["<unk>", "a", "b", "c", "d"]
    assert tokens(min_count=2) == ["<unk>", "a", "b", "c"]
    assert tokens(max_size=3) == ["<unk>", "a", "b"]
    assert tokens(reserved=("<pad>", "<unk>"), min_count=3) == ["<pad>", "<unk>", "a"]


def test_texts_are_normalised_before_they_are_counted_and_encoded() -> None:
    """By hand, for what is made of capitals and signs; line by line as well, and of subwords."""
    text = "It's A-1  Time!"
    for normalize, expected in (("none", text), ("lower", "it's a-1  time!"), ("letters", "it s a time")):
        assert tokenizing.normalized(text, normalize) == expected  # type: ignore[arg-type]
        tokenizer = Tokenizer.train(text, "char", normalize)  # type: ignore[arg-type]
        assert tokenizer.decode(tokenizer.encode_lines([text])[0].tolist()) == expected
    for splitter in ("word", "bpe", "wordpiece"):
        tokenizer = Tokenizer.train("ab cd", splitter, "lower", max_size=300)  # type: ignore[arg-type]
        for line in (tokenizer.encode("AB"), tokenizer.encode_lines(["AB"])[0]):
            assert tokenizer.decode(line.tolist()) == "ab"


def test_a_vocab_without_unk_refuses_what_it_lacks() -> None:
    tokenizer = Tokenizer.from_asset({"tokens": ["a", "b"], "splitter": "char", "normalize": "none"})
    assert tokenizer.encode("ab").tolist() == [0, 1]
    assert tokenizer.unknown_share(tokenizer.encode("ab")) == 0
    with pytest.raises(InputError, match="the character 'c' is not in the vocab"):
        tokenizer.encode("acz")


def test_the_asset_is_one_json_object() -> None:
    tokenizer = Tokenizer.train("Ab", "char", "lower")
    assert tokenizer.to_asset() == {"tokens": ["<unk>", "a", "b"], "splitter": "char", "normalize": "lower"}
    assert Tokenizer.from_asset(tokenizer.to_asset()).encode("AB").tolist() == [1, 2]
