"""Tokens -> vectors that know where they stand."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from zoo_seq.attention.positions import sine_code

Positions = Literal["sine", "learned", "rotary", "none"]


class Embedding(nn.Module):
    """Tokens (B, T) -> (B, T, width): their vectors, and their positions' where these are added.

    Args:
        max_length: the most positions that `learned` has; `sine` begins with as many and makes more where they are
            asked for; `rotary`, which turns queries and keys elsewhere, and `none` have no limit.
        scale: what the tokens' vectors are multiplied by.

    Raises:
        ValueError: sine waves need an even width; or, when it comes, a text is longer than what is learned.
    """

    code: Tensor

    def __init__(
        self, vocab_size: int, width: int, max_length: int, positions: Positions, dropout: float, scale: float = 1.0
    ) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocab_size, width)
        self.scale, self.max_length, self.positions = scale, max_length, positions
        if positions == "learned":
            self.places = nn.Embedding(max_length, width)
        elif positions == "sine":
            if width % 2:
                raise ValueError(f"sine positions come in pairs of columns, and a width of {width} is odd")
            self.register_buffer("code", sine_code(max_length, width), persistent=False)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor, before: int = 0) -> Tensor:
        """`before`: tokens of the text that were read already."""
        end = before + tokens.shape[1]
        x = self.tokens(tokens) * self.scale
        if self.positions in ("sine", "learned"):
            if end > self.max_length and self.positions == "learned":
                raise ValueError(f"a text of {end} tokens is longer than the {self.max_length} positions of the model")
            x = x + self._code(before, end, tokens.device).to(x.dtype)
        return self.dropout(x)  # type: ignore[no-any-return]

    def _code(self, start: int, end: int, device: torch.device) -> Tensor:
        if self.positions == "sine":
            if end > len(self.code):
                self.code = sine_code(2 * end, self.code.shape[1]).to(self.code)
            return self.code[start:end]
        return self.places(torch.arange(start, end, device=device))  # type: ignore[no-any-return]
