"""Multi-head attention (Vaswani et al., 2017, section 3.2; Dive into Deep Learning 11.5)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from zoo_seq.attention.positions import rotated

Combine = Literal["concat", "mean"]


class Cache:
    """Keys and values of what has been read, (B, heads, T, width / heads) each.

    They stand in memory with room for more, so that a token is written where it belongs and nothing is moved. A cache
    stays what it is when it is extended; one that is extended twice has its memory copied the second time.
    """

    def __init__(self, keys: Tensor | None = None, values: Tensor | None = None, room: _Room | None = None) -> None:
        self.keys, self.values, self._room = keys, values, room

    @property
    def length(self) -> int:
        return 0 if self.keys is None else self.keys.shape[2]

    def extended(self, keys: Tensor, values: Tensor) -> Cache:
        end = self.length + keys.shape[2]
        room = self._room
        if room is None or room.used != self.length or end > room.keys.shape[2]:
            room = _Room(keys, end)
            if self.keys is not None and self.values is not None:
                room.write(0, self.keys, self.values)
        room.write(self.length, keys, values)
        return Cache(room.keys[:, :, :end], room.values[:, :, :end], room)

    def rows(self, chosen: Tensor) -> Cache:
        """Choose rows of the batch, in another order, for a beam search."""
        if self.keys is None or self.values is None:
            return self
        return Cache(self.keys.index_select(0, chosen), self.values.index_select(0, chosen))


class _Room:
    """Memory for twice as many keys and values as there are, of which `used` are written."""

    def __init__(self, like: Tensor, length: int) -> None:
        batch, heads, _, width = like.shape
        self.keys, self.values = (like.new_empty(batch, heads, max(32, 2 * length), width) for _ in range(2))
        self.used = 0

    def write(self, start: int, keys: Tensor, values: Tensor) -> None:
        self.used = start + keys.shape[2]
        self.keys[:, :, start : self.used] = keys
        self.values[:, :, start : self.used] = values


class Attention(nn.Module):
    """Queries (B, T, width) look at keys and values (B, S, width) -> (B, T, width).

    Args:
        combine: heads side by side, `concat`, each with width / heads numbers; or their `mean`, each with `width`.
        rotary: queries and keys are turned by their positions.
    """

    def __init__(
        self, width: int, heads: int, dropout: float = 0.0, combine: Combine = "concat", rotary: bool = False
    ) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"a width of {width} cannot be divided among {heads} heads")
        inner = width if combine == "concat" else width * heads
        if rotary and inner // heads % 2:
            raise ValueError(f"rotary positions turn pairs of columns, and a head of {inner // heads} is odd")
        self.heads, self.dropout, self.combine, self.rotary = heads, dropout, combine, rotary
        self.query = nn.Linear(width, inner)
        self.key_value = nn.Linear(width, 2 * inner)
        self.out = nn.Linear(width, width)

    def forward(
        self,
        queries: Tensor,
        others: Tensor,
        mask: Tensor | None = None,
        causal: bool = False,
        cache: Cache | None = None,
    ) -> tuple[Tensor, Cache | None]:
        """Return what each query finds, and the cache with `others` added.

        Args:
            mask: True where a query may look, (B, 1, 1 or T, S).
            causal: a query looks at its own place and those before it, in the cache too.
        """
        query = self._split(self.query(queries))
        key, value = map(self._split, self.key_value(others).chunk(2, dim=-1))
        before = 0 if cache is None else cache.length
        if self.rotary:
            places = torch.arange(before, before + others.shape[1], device=queries.device)
            query, key = rotated(query, places[-query.shape[2] :]), rotated(key, places)
        if cache is not None:
            cache = cache.extended(key, value)
            key, value = cache.keys, cache.values  # type: ignore[assignment]
        return self._attend(query, key, value, mask, causal, before), cache

    def keys_and_values(self, others: Tensor) -> Cache:
        """Compute once what every step of a decoder looks at."""
        keys, values = map(self._split, self.key_value(others).chunk(2, dim=-1))
        return Cache(keys, values)

    def look(self, queries: Tensor, seen: Cache, mask: Tensor | None = None) -> Tensor:
        """Return what each query finds in `keys_and_values`."""
        query = self._split(self.query(queries))
        return self._attend(query, seen.keys, seen.values, mask, False, 0)  # type: ignore[arg-type]

    def weights(self, queries: Tensor, others: Tensor, mask: Tensor | None = None) -> Tensor:
        """How much each query looks at each key, (B, heads, T, S). For pictures: training never makes them."""
        query, key = self._split(self.query(queries)), self._split(self.key_value(others).chunk(2, dim=-1)[0])
        scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
        return torch.softmax(scores if mask is None else scores.masked_fill(~mask, float("-inf")), dim=-1)

    def _attend(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, causal: bool, before: int
    ) -> Tensor:
        causal = causal and query.shape[2] > 1  # one query alone is the last: it looks at all
        if causal and (before or mask is not None):  # torch's own causal mask begins at the first key, and is alone
            past = torch.ones(query.shape[2], key.shape[2], dtype=torch.bool, device=query.device).tril(before)
            mask = past if mask is None else mask & past
        found = F.scaled_dot_product_attention(
            query, key, value, mask, self.dropout if self.training else 0.0, is_causal=causal and mask is None
        )
        if self.combine == "mean":
            return self.out(found.mean(dim=1))  # type: ignore[no-any-return]
        return self.out(found.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]

    def _split(self, vectors: Tensor) -> Tensor:
        """(B, T, inner) -> (B, heads, T, inner / heads)."""
        return vectors.view(*vectors.shape[:2], self.heads, -1).transpose(1, 2)
