"""Recurrent networks: cells against torch.nn and against formulas, and every switch of the language models."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tests.reference.recurrent import books_gru_step, gru_step
from zoo_seq.language import recurrent
from zoo_seq.language.cells import gru_cell, unrolled

MAKERS: dict[str, Any] = {"rnn": recurrent.rnn, "gru": recurrent.gru, "lstm": recurrent.lstm}
TORCHS = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
any_kind = pytest.mark.parametrize("kind", MAKERS)


@any_kind
@given(st.integers(0, 99), st.integers(1, 3), st.booleans())
@settings(deadline=None, max_examples=20)
def test_cells_written_out_are_torchs(kind: str, seed: int, layers: int, begun: bool) -> None:
    torch.manual_seed(seed)
    module = TORCHS[kind](5, 7, layers, batch_first=True)
    x, state = torch.randn(2, 4, 5), None
    if begun:
        _, state = module(torch.randn(2, 3, 5))
    for found, expected in zip(unrolled(module, x, state), module(x, state), strict=True):
        torch.testing.assert_close(found, expected)


@any_kind
def test_gradients_go_through_time(kind: str) -> None:
    """Those of torch.nn, of the first input, too."""
    torch.manual_seed(0)
    module = TORCHS[kind](5, 7, 2, batch_first=True)
    gradients = []
    for network in (module, lambda x: unrolled(module, x)):
        x = torch.linspace(-1, 1, 40).view(2, 4, 5).requires_grad_()
        network(x)[0][:, -1].square().sum().backward()
        gradients.append(x.grad)
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("training", [True, False])
def test_dropout_is_between_the_layers(training: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice for three layers: not before the first, and not after the last."""
    module, calls = nn.GRU(5, 7, 3, batch_first=True, dropout=0.4).train(training), []
    plain = nn.functional.dropout

    def noted(x: torch.Tensor, p: float, training: bool) -> torch.Tensor:
        calls.append((x.shape[-1], p, training))
        return plain(x, p, training)

    monkeypatch.setattr(nn.functional, "dropout", noted)
    unrolled(module, torch.randn(2, 4, 5))
    assert calls == [(7, 0.4, training)] * 2


def test_the_reset_gate_comes_after_the_product_as_in_torch() -> None:
    """And not before it, as in the book: by the formulas of both, which agree where W_h of the candidate is diagonal
    and has no bias."""
    torch.manual_seed(0)
    network = nn.GRU(4, 3)
    w, u, b = network.weight_ih_l0, network.weight_hh_l0, network.bias_ih_l0
    nn.init.zeros_(network.bias_hh_l0)
    x, h = torch.randn(4), torch.randn(3)
    (found,) = gru_cell(x[None], (h[None],), w, u, b, network.bias_hh_l0)
    torch.testing.assert_close(found[0], gru_step(network, "l0", x, h))
    assert not torch.allclose(found[0], books_gru_step(x, h, w, u, b), atol=1e-3)
    with torch.no_grad():
        u[6:] = torch.diag(torch.tensor([1.0, -2.0, 0.5]))
    (found,) = gru_cell(x[None], (h[None],), w, u, b, network.bias_hh_l0)
    torch.testing.assert_close(found[0], books_gru_step(x, h, w, u, b))


@any_kind
@pytest.mark.parametrize("cells", ["torch", "written_out"])
def test_a_language_model_is_an_embedding_a_network_and_a_layer(kind: str, cells: str) -> None:
    """The parts in order, with the same weights in torch's own network."""
    torch.manual_seed(0)
    model = MAKERS[kind](11, width=8, layers=2, dropout=0.5, cells=cells).eval()
    assert type(model.network) is TORCHS[kind]
    network = TORCHS[kind](8, 8, 2, batch_first=True)
    network.load_state_dict(model.network.state_dict())
    tokens = torch.randint(11, (3, 5))
    read, state = network(model.embedding.weight[tokens])
    found, its = model(tokens)
    torch.testing.assert_close(found, read @ model.out.weight.T + model.out.bias)
    for a, b in zip(*((part if kind == "lstm" else (part,)) for part in (its, state)), strict=True):
        torch.testing.assert_close(a, b)
    assert model.initial_state() is None and model.carries_state


@any_kind
def test_cells_are_written_out_where_they_are_asked_for(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(recurrent, "unrolled", lambda *arguments: calls.append(0) or unrolled(*arguments))
    for cells, expected in (("torch", 0), ("written_out", 1)):
        MAKERS[kind](11, width=8, cells=cells)(torch.zeros(1, 2, dtype=torch.int64))
        assert len(calls) == expected


@any_kind
def test_switches_change_the_weights_as_they_should(kind: str) -> None:
    """Counted by hand: an embedding, gates of two matrices and two biases a layer, and a layer that may be tied."""
    gates = {"rnn": 1, "gru": 3, "lstm": 4}[kind]
    for layers in (1, 3):
        for tied in (False, True):
            model = MAKERS[kind](11, width=8, layers=layers, tied=tied)
            count = sum(param.numel() for param in model.parameters())
            assert count == 11 * 8 * (2 - tied) + 11 + layers * gates * 2 * (8 * 8 + 8)
            assert (model.out.weight is model.embedding.weight) == tied


def test_dropout_is_of_embeddings_between_layers_and_before_the_logits() -> None:
    """What goes into the first is the embedding; where all is dropped, the logits are the bias."""
    tokens = torch.randint(11, (2, 5))
    assert recurrent.gru(11, width=8, layers=2, dropout=0.3).network.dropout == 0.3
    assert recurrent.gru(11, width=8, layers=1, dropout=0.3).network.dropout == 0.0  # or torch would warn
    model = recurrent.gru(11, width=8, dropout=0.3)
    assert model.dropout.p == 0.3
    seen: list[torch.Tensor] = []
    model.dropout.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    model(tokens)
    assert torch.equal(seen[0], model.embedding(tokens)) and len(seen) == 2
    model.dropout.p = 1.0
    assert torch.equal(model.train()(tokens)[0], model.out.bias.expand(2, 5, 11))


def test_a_tied_network_starts_with_logits_of_size_1() -> None:
    """Torch's own embedding, of deviation 1, would make them as large as the root of the width."""
    torch.manual_seed(0)
    model = recurrent.gru(500, width=64, tied=True)
    assert model.embedding.weight.std().item() == pytest.approx(1 / 8, rel=0.05)
    assert torch.nn.functional.linear(torch.randn(99, 64), model.out.weight).std().item() == pytest.approx(1, rel=0.05)
    assert recurrent.gru(500, width=64).embedding.weight.std().item() == pytest.approx(1, rel=0.05)


def test_a_bidirectional_language_model_is_refused() -> None:
    with pytest.raises(ValueError, match="would read the token that it is to predict"):
        recurrent.gru(11, bidirectional=True)
