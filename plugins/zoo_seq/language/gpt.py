"""A decoder-only Transformer (Radford et al., 2018 and 2019)."""

from __future__ import annotations

from typing import Annotated

import torch
from annotated_types import Ge, Lt
from torch import Tensor, nn

from zoo_seq.attention.blocks import Block, Norm, Shape, make_norm
from zoo_seq.attention.embedding import Embedding, Positions
from zoo_seq.attention.heads import Cache, Combine

Count = Annotated[int, Ge(1)]
State = list[Cache]

STD = 0.02  # of first weights (Radford et al., 2018, section 4.1)


class GPT(nn.Module):
    """Tokens (B, T) -> logits (B, T, vocab_size) of each next token, and the state: keys and values of what was read.

    Args:
        max_length: positions; from the dataset, as many as its windows have.
        positions: `learned` or `sine` vectors that are added, `rotary` ones that turn queries and keys, or `none`.
        pre_norm, norm, combine: see `zoo_seq.attention.blocks.Shape`.
    """

    def __init__(
        self,
        vocab_size: int,
        max_length: Count,
        width: Count = 128,
        layers: Count = 4,
        heads: Count = 4,
        dropout: Annotated[float, Ge(0), Lt(1)] = 0.1,
        positions: Positions = "learned",
        pre_norm: bool = True,
        norm: Norm = "layer",
        combine: Combine = "concat",
    ) -> None:
        super().__init__()
        self.max_length = max_length
        shape = Shape(width, heads, 4 * width, dropout, pre_norm, norm, combine, positions == "rotary")
        scale = 1 / STD if positions == "sine" else 1.0  # or the waves, of size 1, would drown the tokens
        self.embedding = Embedding(vocab_size, width, max_length, positions, dropout, scale)
        blocks = [Block(shape) for _ in range(layers)]
        self.blocks = nn.ModuleList(blocks)
        self.norm = make_norm(shape) if pre_norm else nn.Identity()
        self.out = nn.Linear(width, vocab_size, bias=False)
        self.apply(_first_values)
        for block in blocks:  # what is added 2 x layers times
            for last in (block.attention.out, block.perceptron[-1]):
                nn.init.normal_(last.weight, std=STD / (2 * layers) ** 0.5)  # type: ignore[arg-type]
        self.out.weight = self.embedding.tokens.weight

    def forward(self, tokens: Tensor, state: State | None = None) -> tuple[Tensor, State | None]:
        """Without a state none is kept, as in training."""
        x = self.embedding(tokens, 0 if state is None else state[0].length)
        after: State = []
        for number, block in enumerate(self.blocks):
            x, cache = block(x, causal=True, cache=state and state[number])
            after.append(cache)
        return self.out(self.norm(x)), None if state is None else after

    def initial_state(self) -> State:
        """Nothing has been read."""
        return [Cache() for _ in self.blocks]


def _first_values(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=STD)
    if isinstance(module, nn.Linear) and module.bias is not None:
        torch.nn.init.zeros_(module.bias)
