"""The blocks of Transformers: attention and a perceptron a token, each added to what came in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from zoo_seq.attention.heads import Attention, Cache, Combine

Norm = Literal["layer", "batch"]


@dataclass(frozen=True)
class Shape:
    """The shape that the blocks of a network have in common.

    Attributes:
        hidden: width of the perceptron's hidden layer.
        pre_norm: normalise what goes into attention and perceptron (Xiong et al., 2020), not what comes out (post-norm,
            as Vaswani et al., 2017).
        norm: `layer` over each token's numbers, or `batch` over all tokens of a batch.
    """

    width: int
    heads: int
    hidden: int
    dropout: float = 0.1
    pre_norm: bool = True
    norm: Norm = "layer"
    combine: Combine = "concat"
    rotary: bool = False


class Block(nn.Module):
    """Tokens (B, T, width) -> (B, T, width).

    Args:
        cross: between the two, look at what an encoder has made of another text.
    """

    def __init__(self, shape: Shape, cross: bool = False) -> None:
        super().__init__()
        self.pre_norm = shape.pre_norm
        self.attention = Attention(shape.width, shape.heads, shape.dropout, shape.combine, shape.rotary)
        self.cross = Attention(shape.width, shape.heads, shape.dropout, shape.combine) if cross else None
        self.perceptron = nn.Sequential(
            nn.Linear(shape.width, shape.hidden), nn.GELU(), nn.Linear(shape.hidden, shape.width)
        )
        self.norms = nn.ModuleList([make_norm(shape) for _ in range(3 if cross else 2)])
        self.dropout = nn.Dropout(shape.dropout)

    def forward(
        self,
        x: Tensor,
        mask: Tensor | None = None,
        causal: bool = False,
        cache: Cache | None = None,
        seen: Cache | None = None,
        seen_mask: Tensor | None = None,
    ) -> tuple[Tensor, Cache | None]:
        """`seen`: keys and values of the other text, for `cross`."""
        own = self._before(0, x)
        found, cache = self.attention(own, own, mask, causal, cache)
        x = self._after(0, x, found)
        if self.cross is not None and seen is not None:
            x = self._after(1, x, self.cross.look(self._before(1, x), seen, seen_mask))
        return self._after(-1, x, self.perceptron(self._before(-1, x))), cache

    def _before(self, norm: int, x: Tensor) -> Tensor:
        return self.norms[norm](x) if self.pre_norm else x

    def _after(self, norm: int, x: Tensor, found: Tensor) -> Tensor:
        added = x + self.dropout(found)
        return added if self.pre_norm else self.norms[norm](added)  # type: ignore[no-any-return]


class BatchNorm(nn.Module):
    """Each of a token's numbers normalised over all tokens of a batch, padding included (notes 68)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(width)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x.flatten(0, 1)).view_as(x)  # type: ignore[no-any-return]


def make_norm(shape: Shape) -> nn.Module:
    return nn.LayerNorm(shape.width) if shape.norm == "layer" else BatchNorm(shape.width)
