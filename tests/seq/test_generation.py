"""Text, token by token: windows, temperatures, and what is left out of a draw."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from zoo_seq.language.generation import draw, generate, kept
from zoo_seq.language.gpt import GPT

logits = st.lists(st.integers(-50, 50).map(lambda tenths: tenths / 10), min_size=4, max_size=4, unique=True)


@given(logits, st.integers(1, 4))
def test_top_k_keeps_the_k_likeliest(values: list[float], k: int) -> None:
    found = kept(torch.tensor([values]), k, None)[0].isfinite()
    assert {index for index in range(4) if found[index]} == set(sorted(range(4), key=lambda i: -values[i])[:k])


@given(logits, st.floats(0.01, 1))
def test_top_p_keeps_the_fewest_that_make_up_p(values: list[float], p: float) -> None:
    found = kept(torch.tensor([values]), None, p)[0].isfinite()
    probabilities = torch.tensor(values).softmax(0)
    share = float(probabilities[found].sum())
    assert share >= p - 1e-5
    assert share - float(probabilities[found].min()) < p + 1e-5
    assert float(probabilities[found].min()) >= float(probabilities[~found].max() if not found.all() else 0)


def test_temperature_0_takes_the_likeliest() -> None:
    assert draw(torch.tensor([[0.1, 2.0, 1.0]]), 0).tolist() == [1]


@pytest.mark.parametrize(
    ("temperature", "top_k", "top_p", "shares"),
    [
        (1.0, None, None, [0.5, 0.3, 0.2]),
        (0.5, None, None, [0.25 / 0.38, 0.09 / 0.38, 0.04 / 0.38]),  # squares of them
        (1.0, 2, None, [0.625, 0.375, 0.0]),
        (1.0, None, 0.7, [0.625, 0.375, 0.0]),
        (1.0, 1, 0.7, [1.0, 0.0, 0.0]),
    ],
)
def test_draws_are_as_likely_as_they_should_be(
    temperature: float, top_k: int | None, top_p: float | None, shares: list[float]
) -> None:
    """By hand, over 20,000 draws; through `generate`, too, whose model knows one answer."""
    rows = torch.tensor([[0.5, 0.3, 0.2]]).log().expand(20_000, 3)
    generator = torch.Generator().manual_seed(0)
    found = draw(rows, temperature, top_k, top_p, generator).bincount(minlength=3) / 20_000
    assert found.tolist() == pytest.approx(shares, abs=0.012)
    one = Window(rows=rows)
    tokens = generate(one, torch.zeros(20_000, 1, dtype=torch.int64), 1, temperature, top_k, top_p, generator)
    assert (tokens[:, 0].bincount(minlength=3) / 20_000).tolist() == pytest.approx(shares, abs=0.012)


def test_draws_are_as_likely_as_they_are_unless_it_is_stated() -> None:
    """By hand, over 20,000 draws: no temperature, nothing left out."""
    rows = torch.tensor([[0.5, 0.3, 0.2]]).log().expand(20_000, 3)
    torch.manual_seed(0)
    for tokens in (draw(rows), generate(Window(rows=rows), torch.zeros(20_000, 1, dtype=torch.int64), 1)[:, 0]):
        assert (tokens.bincount(minlength=3) / 20_000).tolist() == pytest.approx([0.5, 0.3, 0.2], abs=0.012)


def test_a_generator_is_all_that_a_draw_hangs_on() -> None:
    model, prompt = GPT(11, 30, width=8, layers=1, heads=2).eval(), torch.zeros(2, 1, dtype=torch.int64)
    texts = [generate(model, prompt, 20, 1.0, generator=torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    assert torch.equal(texts[0], texts[1]) and not torch.equal(texts[0], texts[2])


class Window:
    """A model that notes what it is shown; without `rows`, the token after n is n + 1."""

    def __init__(self, max_length: int | None = None, rows: torch.Tensor | None = None) -> None:
        if max_length is not None:
            self.max_length = max_length
        self.shown: list[list[int]] = []
        self.rows = rows

    def initial_state(self) -> tuple[int, ...]:
        return ()

    def __call__(self, tokens: torch.Tensor, state: tuple[int, ...]) -> Any:
        read = (*state, *tokens[0].tolist())
        self.shown.append(list(read))
        logits = torch.eye(50)[(tokens + 1) % 50] if self.rows is None else self.rows[:, None]
        return logits, read


@pytest.mark.parametrize("cached", [True, False])
def test_a_text_that_outgrows_its_positions_goes_on_from_the_last_half(cached: bool) -> None:
    """By hand, for six positions: it grows to six, then begins anew with the last three."""
    model = Window(6)
    found = generate(model, torch.tensor([[0, 1, 2, 3]]), 8, 0, cached=cached)
    assert found.tolist() == [[4, 5, 6, 7, 8, 9, 10, 11]]
    assert model.shown == [list(range(start, end)) for start, end in (
        (0, 4), (0, 5), (0, 6), (4, 7), (4, 8), (4, 9), (4, 10), (8, 11)
    )]  # fmt: skip


def test_a_model_of_one_position_reads_one_token() -> None:
    model = Window(1)
    generate(model, torch.tensor([[0, 1]]), 2, 0)
    assert model.shown == [[1], [2]]


def test_a_long_prompt_is_read_from_its_last_half_on() -> None:
    model = Window(6)
    assert generate(model, torch.tensor([list(range(9))]), 2, 0).tolist() == [[9, 10]]
    assert model.shown == [[6, 7, 8], [6, 7, 8, 9]]


def test_a_model_without_positions_reads_all() -> None:
    model = Window()
    generate(model, torch.tensor([list(range(40))]), 2, 0)
    assert model.shown[-1] == list(range(41))


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_what_is_never_written_is_not_though_it_were_the_likeliest(temperature: float) -> None:
    model = Window(rows=torch.tensor([[9.0, 1.0, 0.0]]).expand(50, 3))
    found = generate(model, torch.zeros(50, 1, dtype=torch.int64), 3, temperature, never=0)
    assert not bool((found == 0).any())
