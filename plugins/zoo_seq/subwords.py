"""Byte-pair encoding and WordPiece, by the library `tokenizers`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from typing import Any, Literal

from zoo import InputError, Vocab

Kind = Literal["bpe", "wordpiece"]
PIECE = 100_000  # characters; the library takes a text in pieces, which end where a line does
CONTINUED = "##"
# Spaces that are not between words: before a full stop, after a bracket, around hyphens and apostrophes.
TIGHT = re.compile(r" (?=[.,!?;:%)\]}])|(?<=[(\[{]) | (?=[-'’] \w)|(?<=\w [-'’]) ")


class Subwords:
    """Text <-> subwords of a vocab. `bpe` works on bytes, and so loses nothing; `wordpiece` on words, as BERT's."""

    def __init__(self, kind: Kind, vocab: Vocab, merges: Sequence[str]) -> None:
        from tokenizers import Tokenizer, models

        pairs: Any = [tuple(merge.split(" ")) for merge in merges]
        model = (
            models.BPE(vocab.index, pairs)
            if kind == "bpe"
            else models.WordPiece(vocab.index, unk_token="<unk>", max_input_chars_per_word=100)
        )
        self.kind, self.vocab = kind, vocab
        self.tokenizer = _prepared(Tokenizer(model), kind)

    def encode(self, text: str) -> list[int]:
        return [index for each in self.encode_lines(list(_pieces(text))) for index in each]

    def encode_lines(self, lines: Sequence[str]) -> list[list[int]]:
        return [found.ids for found in self.tokenizer.encode_batch_fast(list(lines), add_special_tokens=False)]

    def decode(self, indices: Sequence[int]) -> str:
        if self.kind == "wordpiece":
            return TIGHT.sub("", " ".join(self.vocab.decode(indices)).replace(f" {CONTINUED}", ""))
        text: str = self.tokenizer.decode(list(indices), skip_special_tokens=False)
        return text


def train_subwords(
    kind: Kind, text: str, reserved: Sequence[str], min_count: int, size: int
) -> tuple[list[str], list[str]]:
    """The vocab's tokens in order, and the merges as `"left right"`."""
    import json

    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = _prepared(Tokenizer(models.BPE() if kind == "bpe" else models.WordPiece(unk_token="<unk>")), kind)
    usual: dict[str, Any] = {"vocab_size": size, "min_frequency": min_count, "show_progress": False}
    if kind == "bpe":
        alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
        trainer: Any = trainers.BpeTrainer(special_tokens=list(reserved), initial_alphabet=alphabet, **usual)
    else:  # it would number the letters in the order of a hash table, which is another in every process
        letters = sorted({letter for letter in text if not letter.isspace()})
        first = [*reserved, *letters, *(CONTINUED + letter for letter in letters)]
        trainer = trainers.WordPieceTrainer(special_tokens=first, continuing_subword_prefix=CONTINUED, **usual)
    tokenizer.train_from_iterator(_pieces(text), trainer)
    model = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].__getitem__)
    if len(tokens) > size:
        raise InputError(f"a vocab of {size} has no room for the {len(tokens)} letters and marks", "a larger max_vocab")
    merges = model.get("merges", [])
    return tokens, [merge if isinstance(merge, str) else " ".join(merge) for merge in merges]


def _prepared(tokenizer: Any, kind: Kind) -> Any:
    from tokenizers import decoders, pre_tokenizers

    if kind == "bpe":
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def _pieces(text: str) -> Any:
    """Yield about as many lines of a long text at a time as make `PIECE` characters."""
    lines = iter(re.findall(r".*\n|.+$", text))
    while piece := "".join(islice(lines, max(1, PIECE // 80))):
        yield piece
