"""A translator that does not listen: what a translation scores by chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

COMPARED = 200  # sentences


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


def most_alike(texts: Sequence[str]) -> int:
    """The place of the text, among the first 200, whose parts of 1 to 6 letters have most in common with the others'.

    In common is what chrF counts (Popović, 2015), F2, but that a part counts once however often a text has it.
    """
    parts = [{text[i : i + n] for i in range(len(text)) for n in range(1, 7)} for text in texts[:COMPARED]]
    alike = [sum(5 * len(own & other) / (len(own) + 4 * len(other)) for other in parts) for own in parts]
    return alike.index(max(alike))
