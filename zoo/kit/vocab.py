"""Tokens and their numbers. A vocab travels with the weights that were trained on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from zoo.errors import InputError

UNKNOWN = "<unk>"


class Vocab:
    """Tokens, each with its index; as an asset, `{"tokens": [...]}`.

    Attributes:
        tokens: in the order of their indices.
        unknown: the index of `<unk>`, which stands for every token that is not here; None where there is no such token.
    """

    def __init__(self, tokens: Sequence[str]) -> None:
        self.tokens = list(tokens)
        self.index = {token: index for index, token in enumerate(self.tokens)}
        if len(self.index) != len(self.tokens):
            twice = next(token for index, token in enumerate(self.tokens) if self.index[token] != index)
            raise InputError(f"the vocab has `{twice}` twice")
        self.unknown = self.index.get(UNKNOWN)

    @classmethod
    def build(
        cls,
        counts: Mapping[str, int],
        reserved: Sequence[str] = (UNKNOWN,),
        min_count: int = 1,
        max_size: int | None = None,
    ) -> Vocab:
        """The most frequent tokens first; of equal ones the first in alphabetical order, wherever they came from.

        Args:
            counts: how often each token occurs.
            reserved: tokens that come before all others, whatever their counts.
            min_count: rarer tokens are left out.
            max_size: the most tokens, the reserved ones included.

        Raises:
            InputError: there is no room for more than the reserved tokens.
        """
        if max_size is not None and max_size <= len(reserved):
            raise InputError(f"a vocab of {max_size} has no room beside the reserved {', '.join(reserved)}")
        kept = [token for token, count in counts.items() if count >= min_count and token not in reserved]
        kept.sort(key=lambda token: (-counts[token], token))
        return cls([*reserved, *kept][:max_size])

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: str) -> bool:
        return token in self.index

    def encode(self, tokens: Iterable[str]) -> list[int]:
        """Tokens -> indices; a token that is not here becomes `<unk>`.

        Raises:
            InputError: there is such a token, and no `<unk>`.
        """
        if self.unknown is not None:
            get, unknown = self.index.get, self.unknown
            return [get(token, unknown) for token in tokens]
        try:
            return [self.index[token] for token in tokens]
        except KeyError as error:
            raise InputError(f"the token {error} is not in the vocab, which has no `{UNKNOWN}`") from error

    def decode(self, indices: Iterable[int]) -> list[str]:
        """Indices -> tokens."""
        return [self.tokens[index] for index in indices]

    def to_asset(self) -> dict[str, Any]:
        """Return what vocab.json holds."""
        return {"tokens": self.tokens}

    @classmethod
    def from_asset(cls, asset: Mapping[str, Any]) -> Vocab:
        """The inverse of `to_asset`.

        Raises:
            InputError: it is no list of tokens.
        """
        tokens = asset.get("tokens")
        if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
            raise InputError("the vocab is no list of `tokens`")
        return cls(tokens)
