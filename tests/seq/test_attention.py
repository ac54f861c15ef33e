"""Attention, positions and the Transformer, against the slow way and against what must hold."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference import attention as reference
from zoo_seq.attention.embedding import Embedding
from zoo_seq.attention.heads import Attention, Cache
from zoo_seq.attention.positions import rotated, sine_code
from zoo_seq.translation.transformer import Transformer

sizes = st.integers(1, 6)


@given(sizes, sizes, st.sampled_from([1, 2, 4]), st.booleans(), st.integers(0, 99))
@settings(deadline=None, max_examples=40)
def test_heads_look_as_one_query_at_a_time_does(queries: int, keys: int, heads: int, causal: bool, seed: int) -> None:
    """With padding, or with the future hidden."""
    torch.manual_seed(seed)
    keys = queries if causal else keys
    layer = Attention(8, heads).eval()
    x = torch.randn(1, queries, 8)
    others = x if causal else torch.randn(1, keys, 8)
    may = (
        torch.ones(queries, keys, dtype=torch.bool).tril()
        if causal
        else (torch.arange(keys) < 1 + seed % keys).expand(queries, keys)
    )
    with torch.no_grad():
        found, _ = layer(x, others, None if causal else may[None, None], causal)
    query, (key, value) = layer.query(x)[0], layer.key_value(others)[0].chunk(2, dim=-1)
    parts = [
        reference.attention(
            *(side[:, part * 8 // heads : (part + 1) * 8 // heads] for side in (query, key, value)), may
        )
        for part in range(heads)
    ]
    torch.testing.assert_close(found[0], layer.out(torch.cat(parts, dim=1)), rtol=1e-4, atol=1e-5)


def test_weights_are_those_that_attention_uses() -> None:
    torch.manual_seed(0)
    layer = Attention(8, 2).eval()
    x, others = torch.randn(2, 3, 8), torch.randn(2, 5, 8)
    mask = (torch.arange(5) < 4)[None, None, None]
    values = layer._split(layer.key_value(others).chunk(2, dim=-1)[1])
    weights = layer.weights(x, others, mask)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 2, 3))
    torch.testing.assert_close(layer(x, others, mask)[0], layer.out((weights @ values).transpose(1, 2).flatten(2)))


def test_several_tokens_after_a_cache_are_causal() -> None:
    torch.manual_seed(0)
    layer = Attention(8, 2).eval()
    x = torch.randn(2, 7, 8)
    whole, _ = layer(x, x, causal=True)
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


@given(st.integers(0, 40), st.integers(0, 40))
def test_a_move_turns_each_pair_of_the_sine_code_by_one_angle(position: int, move: int) -> None:
    """Notes 67: the code of a place further on is a linear map of this one, and the map knows only how far."""
    code = sine_code(100, 8).view(100, 4, 2)
    for pair in range(4):
        angle = move / 10000 ** (2 * pair / 8)
        turn = torch.tensor([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
        torch.testing.assert_close(turn @ code[position, pair], code[position + move, pair], atol=1e-4, rtol=1e-4)


@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 50))
def test_rotated_products_know_only_the_distance(first: int, second: int, move: int) -> None:
    query, key = torch.randn(2, 1, 8, generator=torch.Generator().manual_seed(0))

    def product(a: int, b: int) -> torch.Tensor:
        return (rotated(query, torch.tensor([a])) * rotated(key, torch.tensor([b]))).sum()

    torch.testing.assert_close(product(first, second), product(first + move, second + move), atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"positions": "rotary"},
        {"positions": "learned", "pre_norm": False},
        {"combine": "mean", "norm": "batch"},
        {"tied": True, "one_vocab": True},
    ],
    ids=str,
)
def test_the_decoder_goes_step_by_step_as_all_at_once(settings: dict[str, object]) -> None:
    """Teacher forcing and the cache of keys and values say the same; padding changes nothing."""
    torch.manual_seed(0)
    model = Transformer(13, 13, 0, 20, width=16, layers=2, heads=2, **settings).eval()  # type: ignore[arg-type]
    source, target = torch.randint(1, 13, (3, 6)), torch.randint(1, 13, (3, 8))
    source[1, 4:] = 0
    whole = model(source, target)
    state = model.begin(source)
    for place, token in enumerate(target.unbind(1)):
        logits, state = model.step(token, state)
        torch.testing.assert_close(logits, whole[:, place], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(model(source[1:2, :4], target[1:2]), whole[1:2], rtol=1e-4, atol=1e-5)
    weights = model.attention_weights(source, target)
    torch.testing.assert_close(weights.sum(-1), torch.ones(3, 2, 8))
    assert weights[1, ..., 4:].max() == 0


def test_a_text_longer_than_the_positions_is_an_error() -> None:
    model = Transformer(13, 13, 0, 5, width=16, layers=1, heads=2)
    with pytest.raises(ValueError, match="a text of 6 tokens is longer than the 5 positions"):
        model(torch.ones(1, 6, dtype=torch.int64), torch.ones(1, 3, dtype=torch.int64))


@pytest.mark.parametrize(("target", "one_vocab"), [(14, True), (13, False)], ids=["of two sizes", "of equal size"])
def test_two_vocabs_are_not_tied(target: int, one_vocab: bool) -> None:
    with pytest.raises(ValueError, match="cannot be tied"):
        Transformer(13, target, 0, 5, tied=True, one_vocab=one_vocab)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Embedding(5, 7, 9, "sine", 0.0), "sine .* width of 7 is odd"),
        (lambda: Attention(9, 3, rotary=True), "rotary .* head of 3 is odd"),
    ],
    ids=["sine", "rotary"],
)
def test_pairs_of_columns_need_an_even_width(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
