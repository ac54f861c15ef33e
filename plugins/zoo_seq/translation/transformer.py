"""The Transformer (Vaswani et al., 2017, Attention Is All You Need; Dive into Deep Learning 11.7; notes 68)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from annotated_types import Ge, Lt
from torch import Tensor, nn

from zoo_seq.attention.blocks import Block, Norm, Shape, make_norm
from zoo_seq.attention.embedding import Embedding, Positions
from zoo_seq.attention.heads import Cache, Combine

Count = Annotated[int, Ge(1)]


@dataclass
class State:
    """The state of decoding: of each block the keys and values of its own text and of the source, whose padding
    `mask` (B, 1, 1, S) has as False."""

    own: list[Cache]
    seen: list[Cache]
    mask: Tensor

    def rows(self, chosen: Tensor) -> State:
        """Rows of the batch, in another order."""
        own, seen = ([cache.rows(chosen) for cache in caches] for caches in (self.own, self.seen))
        return State(own, seen, self.mask[chosen])


class Transformer(nn.Module):
    """Source (B, S) and target so far (B, T) -> logits (B, T, target_vocab_size) of each next token.

    Args:
        max_length: positions; from the dataset, half as many again as its longest sentence has.
        hidden: of the perceptrons; by default four times the width.
        positions: `sine` (the paper) or `learned` vectors are added; `rotary` ones turn queries and keys; `none`.
        tied: one matrix embeds source and target and makes the logits (section 3.4); the languages must have one vocab.
        one_vocab: whether the languages have one; from the dataset.
        pre_norm, norm, combine: see `zoo_seq.attention.blocks.Shape`.

    Raises:
        ValueError: `tied`, and the vocabs differ.
    """

    def __init__(
        self,
        source_vocab_size: int,
        target_vocab_size: int,
        pad_index: int,
        max_length: Count,
        width: Count = 256,
        layers: Count = 3,
        heads: Count = 4,
        hidden: Count | None = None,
        dropout: Annotated[float, Ge(0), Lt(1)] = 0.1,
        positions: Positions = "sine",
        pre_norm: bool = True,
        norm: Norm = "layer",
        combine: Combine = "concat",
        tied: bool = False,
        one_vocab: bool = False,
    ) -> None:
        super().__init__()
        if tied and not (one_vocab and source_vocab_size == target_vocab_size):
            raise ValueError("embeddings of two vocabs cannot be tied: `joint = true` of the dataset makes one of them")
        self.pad_index = pad_index
        self.max_length = max_length if positions == "learned" else None  # the most tokens that a text may have
        shape = Shape(width, heads, hidden or 4 * width, dropout, pre_norm, norm, combine, positions == "rotary")
        scale = width**0.5
        self.source = Embedding(source_vocab_size, width, max_length, positions, dropout, scale)
        self.target = Embedding(target_vocab_size, width, max_length, positions, dropout, scale)
        self.encoder = nn.ModuleList([Block(shape) for _ in range(layers)])
        self.decoder = nn.ModuleList([Block(shape, cross=True) for _ in range(layers)])
        self.norms = nn.ModuleList([make_norm(shape) if pre_norm else nn.Identity() for _ in range(2)])
        self.out = nn.Linear(width, target_vocab_size)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=1 / scale)
        if tied:
            self.target.tokens.weight = self.source.tokens.weight
            self.out.weight = self.source.tokens.weight

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        memory, mask = self._encoded(source)
        seen = [block.cross.keys_and_values(memory) for block in self.decoder]  # type: ignore[union-attr,operator]
        x = self.target(target)
        for block, its in zip(self.decoder, seen, strict=True):
            x, _ = block(x, causal=True, seen=its, seen_mask=mask)
        return self.out(self.norms[1](x))  # type: ignore[no-any-return]

    def begin(self, source: Tensor) -> State:
        """The source, read: its keys and values are computed once."""
        memory, mask = self._encoded(source)
        seen = [block.cross.keys_and_values(memory) for block in self.decoder]  # type: ignore[union-attr,operator]
        return State([Cache() for _ in self.decoder], seen, mask)

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """One token each (B,) -> logits (B, V) of the next."""
        x = self.target(tokens[:, None], state.own[0].length)
        own = []
        for block, cache, seen in zip(self.decoder, state.own, state.seen, strict=True):
            x, cache = block(x, causal=True, cache=cache, seen=seen, seen_mask=state.mask)
            own.append(cache)
        return self.out(self.norms[1](x)[:, 0]), replace(state, own=own)

    def attention_weights(self, source: Tensor, target: Tensor) -> Tensor:
        """How much each target token looks at each source token, in the last block: (B, heads, T, S)."""
        memory, mask = self._encoded(source)
        x = self.target(target)
        for block in self.decoder:
            before = x
            x, _ = block(x, causal=True, seen=block.cross.keys_and_values(memory), seen_mask=mask)  # type: ignore[union-attr,operator]
        last = self.decoder[-1]
        own = last.norms[0](before) if last.pre_norm else before  # type: ignore[operator,index]
        looked, _ = last.attention(own, own, causal=True)  # type: ignore[operator]
        queries = last.norms[1](before + looked) if last.pre_norm else last.norms[0](before + looked)  # type: ignore[operator,index]
        return last.cross.weights(queries, memory, mask)  # type: ignore[union-attr,operator,no-any-return]

    def _encoded(self, source: Tensor) -> tuple[Tensor, Tensor]:
        mask = (source != self.pad_index)[:, None, None]
        x = self.source(source)
        for block in self.encoder:
            x, _ = block(x, mask)
        return self.norms[0](x), mask
