"""A recurrent encoder and decoder, with attention or without (Sutskever et al., 2014; Bahdanau et al., 2015)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

import torch
from annotated_types import Ge, Lt
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

Count = Annotated[int, Ge(1)]
Kind = Literal["none", "additive", "dot"]


@dataclass
class State:
    """The state of decoding: `hidden` (layers, B, width), and of the source `memory` (B, S, width) and `mask`."""

    hidden: Tensor
    memory: Tensor
    mask: Tensor

    def rows(self, chosen: Tensor) -> State:
        """Rows of the batch, in another order."""
        return State(self.hidden.index_select(1, chosen), self.memory[chosen], self.mask[chosen])


class Seq2Seq(nn.Module):
    """Source (B, S) and target so far (B, T) -> logits (B, T, target_vocab_size) of each next token.

    Without attention the decoder reads, with each token, the encoder's last state: one vector for a whole sentence (Cho
    et al., 2014; Dive into Deep Learning 10.7). `additive` attention looks at the source before each step (Bahdanau et
    al., 2015; 11.4), and so goes step by step; `dot` looks after it (Luong et al., 2015), for all steps at once.

    Args:
        width: of embeddings and hidden states.
        bidirectional: the encoder reads both ways, with half the width each.
    """

    def __init__(
        self,
        source_vocab_size: int,
        target_vocab_size: int,
        pad_index: int,
        width: Count = 256,
        layers: Count = 2,
        dropout: Annotated[float, Ge(0), Lt(1)] = 0.2,
        attention: Kind = "none",
        bidirectional: bool = False,
    ) -> None:
        super().__init__()
        if bidirectional and width % 2:
            raise ValueError(f"a bidirectional encoder has half the width each way, and {width} is odd")
        between = dropout if layers > 1 else 0.0
        ways = 2 if bidirectional else 1
        self.pad_index = pad_index
        self.source = nn.Embedding(source_vocab_size, width, pad_index)
        self.target = nn.Embedding(target_vocab_size, width, pad_index)
        self.encoder = nn.GRU(
            width, width // ways, layers, batch_first=True, dropout=between, bidirectional=bidirectional
        )
        reads = width if attention == "dot" else 2 * width
        self.decoder = nn.GRU(reads, width, layers, batch_first=True, dropout=between)
        self.attention = Additive(width) if attention == "additive" else Dot(width) if attention == "dot" else None
        self.out = nn.Linear(width, target_vocab_size)
        self.dropout = nn.Dropout(dropout)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        return self.out(self._decoded(self.begin(source), target)[0])  # type: ignore[no-any-return]

    def begin(self, source: Tensor) -> State:
        """The source, read."""
        mask = source != self.pad_index
        embedded = self.dropout(self.source(source))
        packed = pack_padded_sequence(embedded, mask.sum(dim=1).cpu(), batch_first=True, enforce_sorted=False)
        memory, hidden = self.encoder(packed)
        memory, _ = pad_packed_sequence(memory, batch_first=True, total_length=source.shape[1])
        if self.encoder.bidirectional:  # both ways' states side by side
            hidden = hidden.unflatten(0, (-1, 2)).transpose(1, 2).flatten(2)
        return State(hidden, memory, mask)

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """One token each (B,) -> logits (B, V) of the next."""
        found, hidden = self._decoded(state, tokens[:, None])
        return self.out(found[:, 0]), replace(state, hidden=hidden)

    def attention_weights(self, source: Tensor, target: Tensor) -> Tensor | None:
        """How much each target token looks at each source token, (B, 1, T, S); None without attention."""
        if self.attention is None:
            return None
        state = self.begin(source)
        weights = []
        for token in target.unbind(1):
            _, hidden = self._decoded(state, token[:, None])
            query = (state.hidden if isinstance(self.attention, Additive) else hidden)[-1]  # before the step, or after
            weights.append(self.attention.weights(query[:, None], state))
            state = replace(state, hidden=hidden)
        return torch.cat(weights, dim=1)[:, None]

    def _decoded(self, state: State, target: Tensor) -> tuple[Tensor, Tensor]:
        """Target (B, T) -> what the logits are made of (B, T, width), and the hidden state after it."""
        embedded = self.dropout(self.target(target))
        if self.attention is None:
            context = _last(state)[:, None].expand(-1, embedded.shape[1], -1)
            found, hidden = self.decoder(torch.cat([embedded, context], dim=-1), state.hidden)
        elif isinstance(self.attention, Dot):
            found, hidden = self.decoder(embedded, state.hidden)
            found = self.attention(found, state)
        else:
            hidden, steps = state.hidden, []
            for token in embedded.unbind(1):
                context = self.attention(hidden[-1][:, None], state)
                step, hidden = self.decoder(torch.cat([token[:, None], context], dim=-1), hidden)
                steps.append(step)
            found = torch.cat(steps, dim=1)
        return self.dropout(found), hidden


def _last(state: State) -> Tensor:
    """Return what the encoder has made of the whole source: its output at the last token (B, width)."""
    ends = state.mask.sum(dim=1) - 1
    return state.memory[torch.arange(len(ends), device=ends.device), ends]


class Additive(nn.Module):
    """softmax(v tanh(W_q q + W_k k)) over the source (Bahdanau et al., 2015, appendix A.1.2)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query = nn.Linear(width, width, bias=False)
        self.key = nn.Linear(width, width, bias=False)
        self.score = nn.Linear(width, 1, bias=False)

    def forward(self, queries: Tensor, state: State) -> Tensor:
        return self.weights(queries, state) @ state.memory

    def weights(self, queries: Tensor, state: State) -> Tensor:
        """(B, T, width) -> (B, T, S)."""
        both = self.query(queries)[:, :, None] + self.key(state.memory)[:, None]
        return _softmax(self.score(both.tanh())[..., 0], state.mask)


class Dot(nn.Module):
    """softmax(q W k) over the source, and a layer that joins what was found with the query (Luong et al., 2015)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.key = nn.Linear(width, width, bias=False)
        self.join = nn.Linear(2 * width, width)

    def forward(self, queries: Tensor, state: State) -> Tensor:
        found = self.weights(queries, state) @ state.memory
        return self.join(torch.cat([queries, found], dim=-1)).tanh()  # type: ignore[no-any-return]

    def weights(self, queries: Tensor, state: State) -> Tensor:
        """(B, T, width) -> (B, T, S)."""
        return _softmax(queries @ self.key(state.memory).transpose(1, 2), state.mask)


def _softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Over the places that are not padding."""
    return scores.masked_fill(~mask[:, None], float("-inf")).softmax(dim=-1)
