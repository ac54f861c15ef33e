"""Recurrent language models: an embedding, a recurrent network, a logit for each token (notes 54 to 58)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from annotated_types import Ge, Lt
from torch import Tensor, nn

from zoo_seq.language.cells import State, unrolled

Count = Annotated[int, Ge(1)]
Share = Annotated[float, Ge(0), Lt(1)]
Cells = Literal["torch", "written_out"]

NETWORKS: dict[str, Any] = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


class RecurrentLanguageModel(nn.Module):
    """Tokens (B, T) -> logits (B, T, vocab_size) of each next token, and the state after the last one.

    The state, (layers, B, width) or for an LSTM two of these, goes on where it is handed in again.
    """

    carries_state = True

    def __init__(
        self,
        kind: Literal["rnn", "gru", "lstm"],
        vocab_size: int,
        width: Count,
        layers: Count,
        dropout: Share,
        tied: bool,
        cells: Cells,
        bidirectional: bool,
    ) -> None:
        super().__init__()
        if bidirectional:
            raise ValueError(
                "a bidirectional language model would read the token that it is to predict: its loss falls to nothing, "
                "and it cannot write. As the encoder of `seq2seq` it is useful"
            )
        between = dropout if layers > 1 else 0.0
        self.embedding = nn.Embedding(vocab_size, width)
        self.network = NETWORKS[kind](width, width, layers, batch_first=True, dropout=between)
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(width, vocab_size)
        self.written_out = cells == "written_out"
        if tied:
            nn.init.normal_(self.embedding.weight, std=width**-0.5)
            self.out.weight = self.embedding.weight

    def forward(self, tokens: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        embedded = self.dropout(self.embedding(tokens))
        if self.written_out:
            found, state = unrolled(self.network, embedded, state)
        else:
            found, state = self.network(embedded, state)
        return self.out(self.dropout(found)), state

    def initial_state(self) -> State | None:
        """The state before a text: none."""
        return None


def rnn(
    vocab_size: int, width: Count = 256, layers: Count = 1, dropout: Share = 0.0, tied: bool = False,
    cells: Cells = "torch", bidirectional: bool = False,
) -> RecurrentLanguageModel:  # fmt: skip
    """Plain recurrent network (Elman, 1990; Dive into Deep Learning 9.4 to 9.6): tokens (B, T) -> logits (B, T, V).

    Args:
        width: of embedding and hidden state.
        dropout: of embeddings, between layers, and before the logits.
        tied: embedding and output layer are one matrix (Press and Wolf, 2017).
        cells: `torch`'s own, or `written_out` step by step, to be read: the same numbers. (So a GRU's reset gate comes
            after a product, where the book has it before.)
        bidirectional: refused, with the reason.
    """
    return RecurrentLanguageModel("rnn", vocab_size, width, layers, dropout, tied, cells, bidirectional)


def gru(
    vocab_size: int, width: Count = 256, layers: Count = 1, dropout: Share = 0.0, tied: bool = False,
    cells: Cells = "torch", bidirectional: bool = False,
) -> RecurrentLanguageModel:  # fmt: skip
    """Gated recurrent units (Cho et al., 2014; the book's 10.2): tokens (B, T) -> logits (B, T, V).

    Parameters are those of `rnn`.
    """
    return RecurrentLanguageModel("gru", vocab_size, width, layers, dropout, tied, cells, bidirectional)


def lstm(
    vocab_size: int, width: Count = 256, layers: Count = 1, dropout: Share = 0.0, tied: bool = False,
    cells: Cells = "torch", bidirectional: bool = False,
) -> RecurrentLanguageModel:  # fmt: skip
    """Long short-term memory (Hochreiter and Schmidhuber, 1997; the book's 10.1): tokens (B, T) -> logits (B, T, V).

    Parameters are those of `rnn`; `layers = 2` and more make it deep (10.3).
    """
    return RecurrentLanguageModel("lstm", vocab_size, width, layers, dropout, tied, cells, bidirectional)
