"""Positions against their formulas, a number at a time; and what an embedding makes of them."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import attention as reference
from zoo_seq.attention.embedding import Embedding
from zoo_seq.attention.positions import rotated, sine_code

places = st.integers(0, 40)
KINDS = ["sine", "learned", "rotary", "none"]


def test_the_sine_code_is_the_papers() -> None:
    for width in (2, 6, 8):
        slow = torch.tensor([reference.sine_code(place, width) for place in range(50)])
        torch.testing.assert_close(sine_code(50, width), slow, atol=1e-5, rtol=1e-5)


@given(places, places)
def test_a_move_turns_each_pair_of_the_sine_code_by_one_angle(position: int, move: int) -> None:
    """Notes 67: the code of a place further on is a linear map of this one, and the map knows only how far."""
    code = sine_code(100, 8).view(100, 4, 2)
    for pair in range(4):
        angle = move / 10000 ** (2 * pair / 8)
        turn = torch.tensor([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
        torch.testing.assert_close(turn @ code[position, pair], code[position + move, pair], atol=1e-4, rtol=1e-4)


@given(st.lists(places, min_size=1, max_size=5), st.sampled_from([2, 4, 8]), st.integers(0, 99))
def test_a_rotation_is_a_product_of_complex_numbers(positions: list[int], width: int, seed: int) -> None:
    vectors = torch.randn(3, len(positions), width, generator=torch.Generator().manual_seed(seed))
    found = rotated(vectors, torch.tensor(positions))
    for row in range(3):
        for place, position in enumerate(positions):
            slow = reference.turned(vectors[row, place], position)
            torch.testing.assert_close(found[row, place], slow, atol=1e-4, rtol=1e-4)


@given(places, places, places)
def test_rotated_products_know_only_the_distance(first: int, second: int, move: int) -> None:
    """And they do know it: the product with oneself is less at every other distance."""
    query = torch.randn(1, 8, generator=torch.Generator().manual_seed(0))

    def product(a: int, b: int) -> torch.Tensor:
        return (rotated(query, torch.tensor([a])) * rotated(query, torch.tensor([b]))).sum()

    torch.testing.assert_close(product(first, second), product(first + move, second + move), atol=1e-3, rtol=1e-3)
    assert first == second or product(first, second) < product(first, first) - 1e-3


def test_a_rotation_keeps_the_type() -> None:
    """Angles are those of fp32: a late place in half precision would be another one."""
    vectors = torch.randn(1, 8)
    found = rotated(vectors.bfloat16(), torch.tensor([4001]))
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), rotated(vectors, torch.tensor([4001])), atol=0.05, rtol=0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_an_embedding_is_scaled_and_its_places_are_added(kind: str) -> None:
    """By hand: three times the token's vector, and the code of its place, which `before` moves."""
    torch.manual_seed(0)
    layer = Embedding(5, 6, 9, kind, 0.0, scale=3.0)  # type: ignore[arg-type]
    tokens = torch.tensor([[1, 1, 4], [0, 2, 1]])
    for before in (0, 4):
        found = layer(tokens, before)
        for row, col in ((0, 0), (0, 1), (0, 2), (1, 2)):
            expected = 3 * layer.tokens.weight[tokens[row, col]]
            if kind == "sine":
                expected = expected + torch.tensor(reference.sine_code(before + col, 6))
            if kind == "learned":
                expected = expected + layer.places.weight[before + col]
            torch.testing.assert_close(found[row, col], expected)


@pytest.mark.parametrize("kind", KINDS)
def test_positions_are_weights_where_they_are_learned_alone(kind: str) -> None:
    layer = Embedding(5, 6, 9, kind, 0.0)  # type: ignore[arg-type]
    assert {name: tuple(value.shape) for name, value in layer.state_dict().items()} == (
        {"tokens.weight": (5, 6), "places.weight": (9, 6)} if kind == "learned" else {"tokens.weight": (5, 6)}
    )


@pytest.mark.parametrize("kind", KINDS)
def test_positions_that_are_added_have_an_end(kind: str) -> None:
    layer = Embedding(5, 6, 9, kind, 0.0)  # type: ignore[arg-type]
    assert layer(torch.zeros(1, 9, dtype=torch.int64)).shape == (1, 9, 6)
    assert layer(torch.zeros(1, 4, dtype=torch.int64), before=5).shape == (1, 4, 6)
    if kind in ("rotary", "none"):
        assert layer(torch.zeros(1, 5, dtype=torch.int64), before=500).shape == (1, 5, 6)
        return
    with pytest.raises(ValueError, match="a text of 10 tokens is longer than the 9 positions"):
        layer(torch.zeros(1, 5, dtype=torch.int64), before=5)


def test_dropout_is_of_tokens_and_places_together() -> None:
    """Each number is dropped, or 1 / (1 - p) as large: never a token's vector without its place."""
    torch.manual_seed(0)
    layer = Embedding(5, 6, 9, "sine", 0.5)
    tokens = torch.randint(5, (50, 9))
    whole, found = layer.eval()(tokens), layer.train()(tokens)
    kept = found != 0
    torch.testing.assert_close(found[kept], 2 * whole[kept])
    assert 0.4 < float(kept.float().mean()) < 0.6


def test_pairs_of_columns_need_an_even_width() -> None:
    with pytest.raises(ValueError, match=r"sine .* width of 7 is odd"):
        Embedding(5, 7, 9, "sine", 0.0)
