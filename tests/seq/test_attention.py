"""Attention against one query at a time, and its cache of keys and values."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tests.reference import transformers as reference
from zoo_seq.attention.heads import Attention, Cache

sizes = st.integers(1, 6)


def layer_of(heads: int = 2, width: int = 8, **more: Any) -> Attention:
    """Biases, too, are no zeros."""
    layer = Attention(width, heads, **more).eval().requires_grad_(False)
    for param in layer.parameters():
        nn.init.normal_(param, std=0.5)
    return layer


@pytest.mark.parametrize("combine", ["concat", "mean"])
@pytest.mark.parametrize("rotary", [False, True])
@given(sizes, sizes, st.sampled_from([1, 2, 4]), st.booleans(), st.booleans(), st.integers(0, 99))
@settings(deadline=None, max_examples=20)
def test_heads_look_as_one_query_at_a_time_does(
    combine: Any, rotary: bool, queries: int, keys: int, heads: int, causal: bool, masked: bool, seed: int
) -> None:
    """With padding, with the future hidden, with both, or with neither: a loop over queries, keys and heads."""
    torch.manual_seed(seed)
    keys = queries if causal or rotary else keys
    layer = layer_of(heads, combine=combine, rotary=rotary)
    x = torch.randn(1, queries, 8)
    others = x if causal or rotary else torch.randn(1, keys, 8)
    may = (torch.arange(keys) < 1 + seed % keys) if masked else torch.ones(keys, dtype=torch.bool)
    found, _ = layer(x, others, may[None, None, None] if masked else None, causal)
    allowed = may.expand(queries, keys) & (torch.ones(queries, keys, dtype=torch.bool).tril() if causal else True)
    switches = reference.Switches(heads, 1, "none", combine=combine)
    slow = reference.heads(layer.state_dict(), x[0], others[0], allowed, switches, rotary)
    torch.testing.assert_close(found[0], slow, rtol=1e-4, atol=1e-5)


def test_heads_side_by_side_are_torchs() -> None:
    """torch.nn.MultiheadAttention with the same weights, and its weights of each head."""
    torch.manual_seed(0)
    layer, torchs = layer_of(), nn.MultiheadAttention(8, 2, batch_first=True)
    torchs.load_state_dict(
        {
            "in_proj_weight": torch.cat([layer.query.weight, layer.key_value.weight]),
            "in_proj_bias": torch.cat([layer.query.bias, layer.key_value.bias]),
            "out_proj.weight": layer.out.weight,
            "out_proj.bias": layer.out.bias,
        }
    )
    x, others = torch.randn(2, 3, 8), torch.randn(2, 5, 8)
    padding = torch.arange(5) >= torch.tensor([[5], [3]])
    mask = ~padding[:, None, None]
    expected, weights = torchs(x, others, others, padding, average_attn_weights=False)
    torch.testing.assert_close(layer(x, others, mask)[0], expected)
    torch.testing.assert_close(layer.look(x, layer.keys_and_values(others), mask), expected)
    torch.testing.assert_close(layer.weights(x, others, mask), weights)
    torch.testing.assert_close(layer.weights(x, others)[:1], weights[:1])  # the first has no padding


def test_a_mean_of_heads_has_heads_of_full_width() -> None:
    """Widths of the layers by hand: three times 8 to 2 x 8, and 8 to 8."""
    layer = layer_of(combine="mean")
    sizes = {name: tuple(part.weight.shape) for name, part in layer.named_children()}
    assert sizes == {"query": (16, 8), "key_value": (32, 8), "out": (8, 8)}
    sizes = {name: tuple(part.weight.shape) for name, part in layer_of().named_children()}
    assert sizes == {"query": (8, 8), "key_value": (16, 8), "out": (8, 8)}


def test_dropout_is_of_weights_and_in_training_alone() -> None:
    """One key has the weight 1: it is dropped, or is 1 / (1 - p) as large, and a mean over many is what it was."""
    torch.manual_seed(0)
    layer = layer_of(heads=1, dropout=0.25)
    x = torch.randn(1, 1, 8).expand(4000, 1, 8)
    value = layer.key_value(x[:1])[..., 8:]
    kept, dropped = layer.out(value / 0.75)[0, 0], layer.out(0 * value)[0, 0]
    found = layer.train()(x, x)[0][:, 0]
    is_kept = torch.isclose(found, kept, atol=1e-5).all(dim=1)
    assert bool((is_kept | torch.isclose(found, dropped, atol=1e-5).all(dim=1)).all())
    assert float(is_kept.float().mean()) == pytest.approx(0.75, abs=0.03)
    assert torch.equal(layer.eval()(x[:1], x[:1])[0], layer(x[:1], x[:1])[0])


@pytest.mark.parametrize("rotary", [False, True])
def test_several_tokens_after_a_cache_are_causal(rotary: bool) -> None:
    torch.manual_seed(0)
    layer = layer_of(rotary=rotary)
    x = torch.randn(2, 7, 8)
    whole, none = layer(x, x, causal=True)
    assert none is None
    _, cache = layer(x[:, :3], x[:, :3], causal=True, cache=Cache())
    rest, cache = layer(x[:, 3:], x[:, 3:], causal=True, cache=cache)
    torch.testing.assert_close(rest, whole[:, 3:])
    assert cache.length == 7


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 40)), min_size=1, max_size=8), st.integers(0, 99))
@settings(deadline=None)
def test_a_cache_stays_what_it_is_when_it_is_extended(steps: list[tuple[int, int]], seed: int) -> None:
    """Any of the caches so far may be gone on with, again and again: each is the text that led to it, put together."""
    generator = torch.Generator().manual_seed(seed)
    caches, texts = [Cache()], [torch.zeros(2, 2, 0, 3)]
    for chosen, count in steps:
        before = chosen % len(caches)
        keys = torch.rand(2, 2, count, 3, generator=generator)
        caches.append(caches[before].extended(keys, -keys))
        texts.append(torch.cat([texts[before], keys], dim=2))
        for cache, text in zip(caches[1:], texts[1:], strict=True):
            assert torch.equal(cache.keys, text)
            assert torch.equal(cache.values, -text)


def test_rows_of_a_cache_are_put_in_another_order() -> None:
    keys = torch.rand(3, 2, 4, 5)
    moved = Cache().extended(keys, -keys).rows(torch.tensor([2, 0, 2]))
    assert torch.equal(moved.keys, keys[[2, 0, 2]])
    assert torch.equal(moved.values, -keys[[2, 0, 2]])
    assert Cache().rows(torch.tensor([0])).length == 0


def test_a_cache_has_room_for_twice_as_much() -> None:
    """Or each token would move all that came before it."""
    cache = Cache().extended(torch.rand(1, 1, 40, 2), torch.rand(1, 1, 40, 2))
    places = set()
    for _ in range(40):
        cache = cache.extended(torch.rand(1, 1, 1, 2), torch.rand(1, 1, 1, 2))
        places.add(cache.keys.data_ptr())  # type: ignore[union-attr]
    assert len(places) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"width": 9, "heads": 2}, "width of 9 cannot be divided among 2 heads"),
        ({"width": 9, "heads": 3, "rotary": True}, "rotary .* a head of 3 is odd"),
        ({"width": 9, "heads": 3, "rotary": True, "combine": "mean"}, "rotary .* a head of 9 is odd"),
    ],
    ids=["heads", "rotary", "rotary, mean"],
)
def test_widths_that_cannot_be(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Attention(**arguments)


def test_heads_of_full_width_turn_where_parts_of_it_are_odd() -> None:
    assert Attention(6, 2, combine="mean", rotary=True).rotary


def test_nothing_is_dropped_or_turned_unless_it_is_stated() -> None:
    layer = Attention(8, 2)
    assert (layer.dropout, layer.combine, layer.rotary) == (0.0, "concat", False)
