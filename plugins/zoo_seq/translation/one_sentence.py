"""A translator that does not listen: what a translation scores by chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

COMPARED = 512  # sentences


@dataclass
class State:
    """How many tokens of the sentence were said."""

    said: int

    def rows(self, chosen: Tensor) -> State:
        return self


class OneSentence(nn.Module):
    """Says one sentence, in the form of a translation model.

    Told the target so far, it takes the next token to be as likely as it is frequent: to be certain of the sentence
    would have no finite loss.

    Args:
        sentence: tokens (T,), to `<eos>`.
        counts: of all tokens (V,); one of each is added.
    """

    sentence: Tensor
    logits: Tensor

    def __init__(self, sentence: Tensor, counts: Tensor) -> None:
        super().__init__()
        self.register_buffer("sentence", sentence)
        self.register_buffer("logits", ((counts + 1) / (counts + 1).sum()).log())

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        return self.logits.expand(*target.shape, -1)

    def begin(self, source: Tensor) -> State:
        return State(0)

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        said = torch.full_like(self.logits, -torch.inf)
        said[self.sentence[min(state.said, len(self.sentence) - 1)]] = 0
        return said.expand(len(tokens), -1), State(state.said + 1)


def most_alike(sentences: Sequence[Tensor], vocab_size: int) -> Tensor:
    """The sentence, of the first 512, whose different tokens have most in common with the others': the best mean F1."""
    compared = sentences[:COMPARED]
    words = torch.zeros(len(compared), vocab_size, device=compared[0].device)
    for row, sentence in zip(words, compared, strict=True):
        row[sentence] = 1
    sizes = words.sum(dim=1)
    alike = 2 * (words @ words.T) / (sizes[:, None] + sizes)
    return compared[int(alike.mean(dim=1).argmax())]
