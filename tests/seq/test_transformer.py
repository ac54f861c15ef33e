"""The Transformer against a slow twin and against torch.nn.Transformer, and every switch of it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from tests.reference import transformers as reference
from tests.seq.test_gpt import count, shaken
from zoo_seq.attention.blocks import BatchNorm
from zoo_seq.attention.heads import Attention
from zoo_seq.translation.transformer import Transformer

SIZES: dict[str, Any] = {"source_vocab_size": 11, "target_vocab_size": 11, "pad_index": 0, "max_length": 20}
SMALL = {**SIZES, "width": 8, "layers": 2, "heads": 2}
SWITCHES: list[dict[str, Any]] = [
    {},
    {"positions": "learned"},
    {"positions": "rotary"},
    {"positions": "none"},
    {"pre_norm": False},
    {"norm": "batch"},
    {"combine": "mean"},
    {"tied": True, "one_vocab": True},
    {"positions": "rotary", "pre_norm": False, "norm": "batch", "combine": "mean", "hidden": 12},
]
any_switches = pytest.mark.parametrize("switches", SWITCHES, ids=str)


@any_switches
def test_a_transformer_is_its_slow_twin(switches: dict[str, Any]) -> None:
    """One sentence, one head, one query and one key at a time. Padding of the batch is not seen."""
    model = shaken(Transformer(**SMALL, **switches))
    source, target = torch.randint(1, 11, (3, 5)), torch.randint(1, 11, (3, 6))
    source[1, 3:] = 0
    found = model(source, target)
    switches = {name: value for name, value in switches.items() if name not in ("tied", "one_vocab", "hidden")}
    told = reference.Switches(2, 2, **{"positions": "sine", **switches})
    for row, text, its in zip(found, source, target, strict=True):
        slow = reference.transformer(model.state_dict(), text[text != 0], its, told)
        torch.testing.assert_close(row, slow, rtol=1e-3, atol=1e-3)


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
@pytest.mark.parametrize("pre_norm", [True, False])
def test_shapes_are_those_of_torchs_transformer(pre_norm: bool) -> None:
    """As many weights as torch.nn.Transformer, which also normalises what a post-norm decoder ends with."""
    own = Transformer(**SMALL, hidden=12, pre_norm=pre_norm)
    torchs = nn.Transformer(8, 2, 2, 2, 12, norm_first=pre_norm)
    around = 2 * 11 * 8 + 8 * 11 + 11
    assert count(own) == count(torchs) + around - (0 if pre_norm else 2 * 16)


@any_switches
def test_the_decoder_goes_step_by_step_as_all_at_once(switches: dict[str, Any]) -> None:
    """Teacher forcing and the cache of keys and values say the same, in another order of the rows, too."""
    model = shaken(Transformer(**SMALL, **switches))
    source, target = torch.randint(1, 11, (3, 6)), torch.randint(1, 11, (3, 8))
    source[1, 4:] = 0
    whole, state = model(source, target), model.begin(source)
    order = torch.arange(3)
    for place in range(8):
        logits, state = model.step(target[order, place], state)
        torch.testing.assert_close(logits, whole[order, place], rtol=1e-3, atol=1e-3)
        turned = torch.tensor([1, 2, 0])
        order, state = order[turned], state.rows(turned)


@any_switches
def test_what_the_last_block_looks_at(switches: dict[str, Any]) -> None:
    """The weights that the picture shows are those with which the block attends: the queries are the same."""
    model = shaken(Transformer(**SMALL, **switches))
    source, target = torch.randint(1, 11, (2, 6)), torch.randint(1, 11, (2, 4))
    source[1, 4:] = 0
    seen: dict[str, torch.Tensor] = {}
    cross: Any = model.decoder[-1].cross
    plain = cross.look
    cross.look = lambda queries, cache, mask: (
        seen.update(queries=queries, keys=cache.keys) or plain(queries, cache, mask)
    )
    model(source, target)
    del cross.look
    queries = cross._split(cross.query(seen["queries"]))
    scores = queries @ seen["keys"].mT / queries.shape[-1] ** 0.5
    expected = scores.masked_fill((source == 0)[:, None, None], float("-inf")).softmax(-1)
    found = model.attention_weights(source, target)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert found.shape == (2, 2, 4, 6) and found[1, ..., 4:].max() == 0


def test_tying_makes_one_matrix_of_three() -> None:
    model, plain = Transformer(**SMALL, tied=True, one_vocab=True), Transformer(**SMALL, one_vocab=True)
    assert model.out.weight is model.source.tokens.weight is model.target.tokens.weight
    assert count(model) == count(plain) - 2 * 11 * 8
    assert len({id(part) for part in (plain.out.weight, plain.source.tokens.weight, plain.target.tokens.weight)}) == 3


def test_a_switch_changes_the_weights_as_it_should() -> None:
    """By hand, beside the plain one of 2 + 2 blocks 8 wide."""
    plain = count(Transformer(**SMALL))
    assert count(Transformer(**SMALL, positions="learned")) == plain + 2 * 20 * 8
    assert count(Transformer(**SMALL, positions="rotary")) == count(Transformer(**SMALL, positions="none")) == plain
    assert count(Transformer(**SMALL, pre_norm=False)) == plain - 2 * 16
    assert count(Transformer(**SMALL, norm="batch")) == plain
    assert count(Transformer(**SMALL, combine="mean")) == plain + 6 * 3 * (8 * 8 + 8)
    assert count(Transformer(**SMALL, hidden=12)) == plain - 4 * 20 * (2 * 8 + 1)
    assert len(Transformer(**SMALL).encoder) == len(Transformer(**SMALL).decoder) == 2
    batch = Transformer(**SMALL, norm="batch")
    assert {type(norm) for norm in batch.norms} == {BatchNorm}
    assert {type(norm) for norm in Transformer(**SMALL, pre_norm=False).norms} == {nn.Identity}


def test_dropout_is_everywhere_what_it_is_said_to_be() -> None:
    model = Transformer(**SMALL, dropout=0.3)
    assert [part.p for part in model.modules() if isinstance(part, nn.Dropout)] == [0.3] * 6
    assert [part.dropout for part in model.modules() if isinstance(part, Attention)] == [0.3] * 6


@pytest.mark.parametrize("tied", [False, True])
def test_first_weights(tied: bool) -> None:
    """Embeddings are of size 1 once they are multiplied by the root of the width; layers are Xavier's, biases 0."""
    torch.manual_seed(0)
    model = Transformer(200, 200, 0, 20, width=64, layers=1, heads=2, tied=tied, one_vocab=True)
    for side in (model.source, model.target):
        assert side.scale == 8
        assert (side.scale * side.tokens.weight).std().item() == pytest.approx(1, rel=0.05)
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear):
            assert not module.bias.any()
            if name != "out":
                bound = (6 / sum(module.weight.shape)) ** 0.5
                assert 0.97 * bound < module.weight.abs().max().item() <= bound


def test_a_text_longer_than_the_positions_is_an_error() -> None:
    model = Transformer(13, 13, 0, 5, width=16, layers=1, heads=2)
    with pytest.raises(ValueError, match="a text of 6 tokens is longer than the 5 positions"):
        model(torch.ones(1, 6, dtype=torch.int64), torch.ones(1, 3, dtype=torch.int64))


@pytest.mark.parametrize(("target", "one_vocab"), [(14, True), (13, False)], ids=["of two sizes", "of equal size"])
def test_two_vocabs_are_not_tied(target: int, one_vocab: bool) -> None:
    with pytest.raises(ValueError, match="cannot be tied"):
        Transformer(13, target, 0, 5, tied=True, one_vocab=one_vocab)
