"""Text <-> integers: by character, by word, or in subwords of the library `tokenizers`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch

from zoo import InputError, Vocab
from zoo_seq.subwords import TIGHT, Subwords, train_subwords

Splitter = Literal["char", "word", "bpe", "wordpiece"]
Normalize = Literal["none", "lower", "letters"]

UNKNOWN, PAD, BEGIN, END = "<unk>", "<pad>", "<bos>", "<eos>"
WORDS = re.compile(r"<\w+>|\w+|[^\w\s]")
NO_LETTERS = re.compile("[^a-z]+")


class Tokenizer:
    """Text -> the integers of its tokens, and back.

    As the asset `vocab` it is one JSON object: `tokens` in the order of their integers, `splitter`, `normalize`, and
    for byte-pair encoding `merges`. So a run folder's vocab.json is all that its text goes through.

    Args:
        vocab: the tokens.
        splitter: `char`; `word`, a run of letters and digits or a single other sign; `bpe`, byte-pair encoding
            (Sennrich et al., 2016), which loses nothing; `wordpiece`, longest pieces first (Schuster and Nakajima,
            2012).
        normalize: `lower` case; `letters`, where what is not a to z becomes one space (Dive into Deep Learning 9.2).
        merges: of `bpe`, the most frequent first.
    """

    def __init__(
        self, vocab: Vocab, splitter: Splitter, normalize: Normalize = "none", merges: Sequence[str] = ()
    ) -> None:
        self.vocab, self.splitter, self.normalize, self.merges = vocab, splitter, normalize, list(merges)
        self._subwords = None if splitter == "char" or splitter == "word" else Subwords(splitter, vocab, self.merges)

    @classmethod
    def train(
        cls,
        text: str,
        splitter: Splitter,
        normalize: Normalize = "none",
        reserved: Sequence[str] = (UNKNOWN,),
        min_count: int = 1,
        max_size: int | None = None,
    ) -> Tokenizer:
        """Count the text's tokens: see `zoo.Vocab.build`. Subwords need a `max_size`.

        Raises:
            InputError: the text has no token.
        """
        text = normalized(text, normalize)
        if splitter in ("bpe", "wordpiece"):
            tokens, merges = train_subwords(splitter, text, reserved, min_count, max_size or 8000)
            return cls(Vocab(tokens), splitter, normalize, merges)
        counts = _character_counts(text) if splitter == "char" else Counter(WORDS.findall(text))
        if not counts:
            raise InputError("the text has no token")
        return cls(Vocab.build(counts, reserved, min_count, max_size), splitter, normalize)

    def encode(self, text: str) -> torch.Tensor:
        """All of a text at once -> int64 (number of tokens,)."""
        text = normalized(text, self.normalize)
        if self.splitter == "char":
            return self._encode_characters(text)
        tokens = self._subwords.encode(text) if self._subwords else self.vocab.encode(WORDS.findall(text))
        return torch.tensor(tokens, dtype=torch.int64)

    def encode_lines(self, lines: Sequence[str]) -> list[torch.Tensor]:
        """Each line by itself."""
        if self._subwords is None:
            return [self.encode(line) for line in lines]
        cleaned = [normalized(line, self.normalize) for line in lines]
        return [torch.tensor(tokens, dtype=torch.int64) for tokens in self._subwords.encode_lines(cleaned)]

    def decode(self, indices: Sequence[int]) -> str:
        """Text of tokens. `word` and `wordpiece` lose what was between the words; punctuation is set as in English."""
        if self._subwords is not None:
            return self._subwords.decode(indices)
        tokens = self.vocab.decode(indices)
        if self.splitter == "char":
            return "".join(tokens)
        return TIGHT.sub("", " ".join(tokens))

    def unknown_share(self, indices: torch.Tensor) -> float:
        """The share of tokens that the vocab does not have, from 0 to 1."""
        if self.vocab.unknown is None or not len(indices):
            return 0.0
        return float((indices == self.vocab.unknown).float().mean())

    def to_asset(self) -> dict[str, Any]:
        more = {"merges": self.merges} if self.merges else {}
        return {**self.vocab.to_asset(), "splitter": self.splitter, "normalize": self.normalize, **more}

    @classmethod
    def from_asset(cls, asset: Mapping[str, Any]) -> Tokenizer:
        return cls(Vocab.from_asset(asset), asset["splitter"], asset["normalize"], asset.get("merges", ()))

    def _encode_characters(self, text: str) -> torch.Tensor:
        codes = _code_points(text)
        own = {ord(token): index for token, index in self.vocab.index.items() if len(token) == 1}
        size = max([*own, int(codes.max(initial=0))], default=0) + 1
        table = np.full(size, -1 if self.vocab.unknown is None else self.vocab.unknown)
        table[list(own)] = list(own.values())
        indices = table[codes]
        if self.vocab.unknown is None and len(indices) and indices.min() < 0:
            raise InputError(
                f"the character {chr(codes[indices.argmin()])!r} is not in the vocab, which has no `<unk>`"
            )
        return torch.from_numpy(indices)


def normalized(text: str, normalize: Normalize) -> str:
    """Normalize a text, as `Tokenizer` says.

    Raises:
        InputError: the text has half a character, as bytes that are no UTF-8 become on the command line.
    """
    try:
        text.encode()
    except UnicodeError as error:
        raise InputError(f"the text is not UTF-8: character {error.start + 1} does not fit") from error  # type: ignore[attr-defined]
    if normalize == "none":
        return text
    lower = text.lower()
    return lower if normalize == "lower" else NO_LETTERS.sub(" ", lower).strip()


def _code_points(text: str) -> np.ndarray[Any, np.dtype[np.uint32]]:
    return np.frombuffer(text.encode("utf-32-le"), np.uint32)


def _character_counts(text: str) -> dict[str, int]:
    counts = np.bincount(_code_points(text))
    return {chr(code): int(counts[code]) for code in counts.nonzero()[0]}
