"""The recurrent encoder and decoder against a slow twin, and every switch of it."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
import torch
from torch import nn

from tests.reference import recurrent as reference
from tests.seq.test_gpt import count, shaken
from zoo_seq.translation.seq2seq import Additive, Dot, Seq2Seq

KINDS = ["none", "additive", "dot"]
any_kind = pytest.mark.parametrize("attention", KINDS)


def some_model(**more: Any) -> Any:
    return shaken(Seq2Seq(9, 7, 0, width=8, **{"layers": 2, **more}))


def some_batch() -> tuple[torch.Tensor, torch.Tensor]:
    source, target = torch.randint(1, 9, (3, 6)), torch.randint(1, 7, (3, 5))
    source[0, 2:], source[2, 5:] = 0, 0
    return source, target


@pytest.mark.parametrize(("attention", "both_ways", "layers"), list(product(KINDS, [False, True], [1, 2])))
def test_it_is_its_slow_twin(attention: str, both_ways: bool, layers: int) -> None:
    """One sentence and one token at a time, without padding."""
    model = some_model(layers=layers, attention=attention, bidirectional=both_ways)
    source, target = some_batch()
    for row, text, its in zip(model(source, target), source, target, strict=True):
        slow = reference.seq2seq(model, text[text != 0], its, layers, attention, both_ways)
        torch.testing.assert_close(row, slow, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("attention", "both_ways"), list(product(KINDS, [False, True])))
def test_it_goes_step_by_step_as_all_at_once(attention: str, both_ways: bool) -> None:
    """In another order of the rows, too."""
    model = some_model(attention=attention, bidirectional=both_ways)
    source, target = some_batch()
    whole, state, order = model(source, target), model.begin(source), torch.arange(3)
    for place in range(5):
        logits, state = model.step(target[order, place], state)
        torch.testing.assert_close(logits, whole[order, place], rtol=1e-4, atol=1e-5)
        turned = torch.tensor([2, 0, 1])
        order, state = order[turned], state.rows(turned)


@any_kind
def test_the_weights_are_those_that_it_looks_with(attention: str) -> None:
    """Kept while it decodes, and compared."""
    model = some_model(attention=attention)
    source, target = some_batch()
    found = model.attention_weights(source, target)
    if attention == "none":
        assert found is None
        return
    seen: list[torch.Tensor] = []
    plain = model.attention.weights
    model.attention.weights = lambda *arguments: seen.append(plain(*arguments)) or seen[-1]
    model(source, target)
    del model.attention.weights
    torch.testing.assert_close(found, torch.cat(seen, dim=1)[:, None])
    torch.testing.assert_close(found.sum(-1), torch.ones(3, 1, 5))
    assert found.shape == (3, 1, 5, 6) and found[0, ..., 2:].max() == 0


def test_a_late_token_sees_the_source_beside_the_state() -> None:
    """With the decoder's state held at zero, what it reads at the fifth token still differs by the source."""
    model = some_model(attention="none")
    source, target = some_batch()
    first, second = (model.begin(text) for text in (source, source.flip(0)))
    first.hidden, second.hidden = (torch.zeros_like(first.hidden) for _ in "12")
    a, b = (model._decoded(state, target)[0][:, 4] for state in (first, second))
    assert not torch.allclose(a[0], b[0], atol=1e-3)


def test_switches_change_the_weights_as_they_should() -> None:
    """Counted by hand, 8 wide, for 9 and 7 tokens, two layers."""

    def gru(inputs: int, width: int) -> int:
        return 3 * (inputs * width + width * width + 2 * width)

    around = 9 * 8 + 7 * 8 + 8 * 7 + 7
    encoder = gru(8, 8) + gru(8, 8)
    both_ways = 2 * (gru(8, 4) + gru(8, 4))
    decoder = {"none": gru(16, 8), "additive": gru(16, 8) + 2 * 64 + 8, "dot": gru(8, 8) + 64 + 16 * 8 + 8}
    for attention in KINDS:
        for bidirectional in (False, True):
            model = some_model(attention=attention, bidirectional=bidirectional)
            expected = around + (both_ways if bidirectional else encoder) + decoder[attention] + gru(8, 8)
            assert count(model) == expected
            kind = {"none": type(None), "additive": Additive, "dot": Dot}[attention]
            assert type(model.attention) is kind
            assert model.encoder.bidirectional == bidirectional and not model.decoder.bidirectional


def test_padding_has_no_weight_and_gets_no_gradient() -> None:
    model = Seq2Seq(9, 7, 0, width=8)
    for side in (model.source, model.target):
        assert side.padding_idx == 0 and not side.weight[0].any()


def test_dropout_is_of_both_embeddings_between_layers_and_before_the_logits() -> None:
    """Three times in a step: of source and target vectors, and of what the logits are made of."""
    model = Seq2Seq(9, 7, 0, width=8, dropout=0.3)
    assert (model.dropout.p, model.encoder.dropout, model.decoder.dropout) == (0.3, 0.3, 0.3)
    single = Seq2Seq(9, 7, 0, width=8, layers=1, dropout=0.3)
    assert (single.encoder.dropout, single.decoder.dropout) == (0.0, 0.0)  # or torch would warn
    source, target = some_batch()
    seen: list[torch.Tensor] = []
    single.dropout.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    single(source, target)
    assert len(seen) == 3
    assert torch.equal(seen[0], single.source(source)) and torch.equal(seen[1], single.target(target))
    single.dropout.p = 1.0
    assert torch.equal(single.train()(source, target), single.out.bias.expand(3, 5, 7))


def test_half_of_an_odd_width_is_none() -> None:
    with pytest.raises(ValueError, match="half the width each way, and 7 is odd"):
        Seq2Seq(9, 7, 0, width=7, bidirectional=True)
    assert isinstance(Seq2Seq(9, 7, 0, width=7).encoder, nn.GRU)
