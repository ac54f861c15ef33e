"""Blocks of Transformers against torch.nn's layers with the same weights, and what their switches change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from zoo_seq.attention.blocks import BatchNorm, Block, Shape, make_norm

SHAPE = Shape(width=8, heads=2, hidden=12, dropout=0.0)
both_ways = pytest.mark.parametrize("pre_norm", [True, False], ids=["pre-norm", "post-norm"])


def block_of(cross: bool = False, **more: Any) -> Block:
    torch.manual_seed(0)
    block = Block(replace(SHAPE, **more), cross).eval().requires_grad_(False)
    for param in block.parameters():
        nn.init.normal_(param, std=0.5)
    return block


def torchs(block: Block, cross: bool) -> Any:
    """torch.nn's layer with the block's weights."""
    layer = (nn.TransformerDecoderLayer if cross else nn.TransformerEncoderLayer)(
        8, 2, 12, 0.0, "gelu", batch_first=True, norm_first=block.pre_norm
    )
    weights: dict[str, Tensor] = {}
    for name, own in {"self_attn": block.attention, **({"multihead_attn": block.cross} if cross else {})}.items():
        assert own is not None
        for kind in ("weight", "bias"):
            weights[f"{name}.in_proj_{kind}"] = torch.cat([getattr(own.query, kind), getattr(own.key_value, kind)])
            weights[f"{name}.out_proj.{kind}"] = getattr(own.out, kind)
    for kind in ("weight", "bias"):
        weights |= {f"linear{number + 1}.{kind}": getattr(block.perceptron[2 * number], kind) for number in (0, 1)}
        weights |= {f"norm{number}.{kind}": getattr(norm, kind) for number, norm in enumerate(block.norms, 1)}
    layer.load_state_dict(weights)
    return layer.eval()


@both_ways
@pytest.mark.parametrize("causal", [False, True])
def test_a_block_is_torchs_encoder_layer(pre_norm: bool, causal: bool) -> None:
    block = block_of(pre_norm=pre_norm)
    x = torch.randn(3, 5, 8)
    padding = torch.arange(5) >= torch.tensor([[5], [5], [3]])
    if causal:
        found, _ = block(x, causal=True)
        expected = torchs(block, False)(x, nn.Transformer.generate_square_subsequent_mask(5), is_causal=True)
    else:
        found, _ = block(x, ~padding[:, None, None])
        expected = torchs(block, False)(x, src_key_padding_mask=padding)
        found, expected = found[~padding], expected[~padding]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@both_ways
def test_a_block_that_looks_at_another_text_is_torchs_decoder_layer(pre_norm: bool) -> None:
    block = block_of(cross=True, pre_norm=pre_norm)
    x, memory = torch.randn(3, 5, 8), torch.randn(3, 6, 8)
    padding = torch.arange(6) >= torch.tensor([[6], [2], [3]])
    assert block.cross is not None
    found, _ = block(x, causal=True, seen=block.cross.keys_and_values(memory), seen_mask=~padding[:, None, None])
    future = nn.Transformer.generate_square_subsequent_mask(5)
    expected = torchs(block, True)(x, memory, future, memory_key_padding_mask=padding, tgt_is_causal=True)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@both_ways
@pytest.mark.parametrize("cross", [False, True])
def test_dropout_is_of_what_is_added(pre_norm: bool, cross: bool) -> None:
    """Where all of it is dropped, a block is the identity, or norms of it; never is what came in dropped."""
    block = block_of(cross, pre_norm=pre_norm)
    block.train().dropout.p = 1.0
    x = torch.randn(2, 3, 8)
    seen = block.cross.keys_and_values(x) if block.cross else None
    expected = x
    if not pre_norm:
        for norm in block.norms:
            expected = norm(expected)
    torch.testing.assert_close(block(x, seen=seen)[0], expected)


def test_every_part_has_the_shapes_dropout() -> None:
    block = Block(replace(SHAPE, dropout=0.3), cross=True)
    assert block.cross is not None
    assert block.attention.dropout == block.cross.dropout == block.dropout.p == 0.3


def test_a_switch_changes_its_part_and_nothing_else() -> None:
    """Of what kind the parts are, by hand; rotary positions and causality are of a text's own attention alone."""
    plain, other = block_of(True), block_of(True, combine="mean", rotary=True, norm="batch", hidden=20)
    assert plain.cross is not None and other.cross is not None
    assert [type(part) for part in plain.perceptron] == [nn.Linear, nn.GELU, nn.Linear]
    assert [type(norm) for norm in plain.norms] == [nn.LayerNorm] * 3
    assert [type(norm) for norm in other.norms] == [BatchNorm] * 3
    assert [type(norm) for norm in block_of().norms] == [nn.LayerNorm] * 2
    assert (plain.attention.combine, plain.cross.combine) == ("concat", "concat")
    assert (other.attention.combine, other.cross.combine) == ("mean", "mean")
    assert (plain.attention.rotary, plain.cross.rotary) == (False, False)
    assert (other.attention.rotary, other.cross.rotary) == (True, False)
    assert [part.weight.shape for part in other.perceptron if isinstance(part, nn.Linear)] == [(20, 8), (8, 20)]


def test_batch_norm_is_over_all_tokens_of_a_batch() -> None:
    """By hand: a column minus its mean over batch and time, over its deviation; and running figures for use."""
    norm = make_norm(replace(SHAPE, norm="batch")).train()
    x = 5 + 3 * torch.randn(4, 6, 8)
    found = norm(x)
    for column in range(8):
        numbers = x[..., column]
        expected = (numbers - numbers.mean()) / (numbers.var(unbiased=False) + 1e-5).sqrt()
        torch.testing.assert_close(found[..., column], expected, rtol=1e-4, atol=1e-5)
    running = 0.9 + 0.1 * x.flatten(0, 1).var(dim=0)
    torch.testing.assert_close(
        norm.eval()(x), (x - 0.1 * x.mean((0, 1))) / (running + 1e-5).sqrt(), rtol=1e-4, atol=1e-5
    )
