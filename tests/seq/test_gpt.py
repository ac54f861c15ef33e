"""GPT against a slow twin, and every switch of it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from tests.reference import transformers as reference
from zoo_seq.attention.blocks import BatchNorm
from zoo_seq.attention.heads import Attention
from zoo_seq.language.gpt import GPT

SWITCHES: list[dict[str, Any]] = [
    {},
    {"positions": "sine"},
    {"positions": "rotary"},
    {"positions": "none"},
    {"pre_norm": False},
    {"norm": "batch"},
    {"combine": "mean"},
    {"positions": "rotary", "pre_norm": False, "norm": "batch", "combine": "mean"},
]
any_switches = pytest.mark.parametrize("switches", SWITCHES, ids=str)


def shaken(model: Any) -> Any:
    """All weights, biases and running figures are numbers that show where they are used."""
    torch.manual_seed(1)
    for name, value in model.eval().requires_grad_(False).state_dict().items():
        if value.is_floating_point():
            value.copy_(0.3 * torch.randn_like(value) + (1.0 if "var" in name else 0.0))
            if "var" in name:
                value.abs_()
    return model


@any_switches
def test_gpt_is_its_slow_twin(switches: dict[str, Any]) -> None:
    """One text, one head, one query and one key at a time, told the switches and given the weights."""
    model = shaken(GPT(11, 9, width=8, layers=2, heads=2, **switches))
    tokens = torch.randint(11, (2, 6))
    found, state = model(tokens)
    assert state is None
    told = reference.Switches(2, 2, **{"positions": "learned", **switches})
    for row, text in zip(found, tokens, strict=True):
        torch.testing.assert_close(row, reference.gpt(model.state_dict(), text, told), rtol=1e-3, atol=1e-3)


def count(model: nn.Module) -> int:
    return sum(param.numel() for param in model.parameters())


def test_a_switch_changes_the_weights_as_it_should() -> None:
    """Counted by hand for 11 tokens, 9 places, 8 wide, 2 blocks: those of the paper, and what each switch takes away
    or adds."""
    sizes = {"vocab_size": 11, "max_length": 9, "width": 8, "layers": 2, "heads": 2}
    block = (8 * 8 + 8) * 4 + (8 * 32 + 32) + (32 * 8 + 8) + 2 * 16
    plain = 11 * 8 + 9 * 8 + 2 * block + 16
    assert count(GPT(**sizes)) == plain
    for positions in ("sine", "rotary", "none"):
        assert count(GPT(**sizes, positions=positions)) == plain - 9 * 8  # type: ignore[arg-type]
    assert count(GPT(**sizes, pre_norm=False)) == plain - 16
    assert count(GPT(**sizes, norm="batch")) == plain
    assert count(GPT(**sizes, combine="mean")) == plain + 2 * 3 * (8 * 8 + 8)
    assert count(GPT(**{**sizes, "layers": 3})) == plain + block


def test_types_of_norms() -> None:
    for pre_norm in (True, False):
        for norm, kind in (("layer", nn.LayerNorm), ("batch", BatchNorm)):
            model = GPT(11, 9, 8, 1, 2, pre_norm=pre_norm, norm=norm)  # type: ignore[arg-type]
            assert type(model.norm) is (kind if pre_norm else nn.Identity)
            assert {type(part) for part in model.blocks[0].norms} == {kind}  # type: ignore[union-attr]


def test_dropout_is_everywhere_what_it_is_said_to_be() -> None:
    model = GPT(11, 9, width=8, layers=2, heads=2, dropout=0.3)
    assert [part.p for part in model.modules() if isinstance(part, nn.Dropout)] == [0.3] * 3
    assert [part.dropout for part in model.modules() if isinstance(part, Attention)] == [0.3] * 2


def test_input_and_output_are_one_matrix() -> None:
    model = GPT(11, 9, width=8, layers=1, heads=2)
    assert model.out.weight is model.embedding.tokens.weight


@pytest.mark.parametrize("layers", [2, 8])
def test_first_weights_are_those_of_the_paper(layers: int) -> None:
    """Deviations of 0.02, and of what is added 2 x layers times 0.02 / sqrt(2 x layers); biases are 0."""
    torch.manual_seed(0)
    model = GPT(100, 90, width=64, layers=layers, heads=2)
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            added = name.endswith(("attention.out", "perceptron.2"))
            expected = 0.02 / (2 * layers) ** 0.5 if added else 0.02
            assert module.weight.std().item() == pytest.approx(expected, rel=0.06), name
            assert getattr(module, "bias", None) is None or not module.bias.any()
        if isinstance(module, nn.LayerNorm):
            assert bool((module.weight == 1).all()) and not module.bias.any()


def test_sine_waves_do_not_drown_the_tokens() -> None:
    """Tokens' vectors start with a deviation of 0.02, and are brought to that of the waves."""
    torch.manual_seed(0)
    model = GPT(100, 9, width=64, positions="sine", dropout=0.0)
    assert (model.embedding.tokens.weight * model.embedding.scale).std().item() == pytest.approx(1, rel=0.05)


def test_the_defaults_are_those_that_the_page_states() -> None:
    model = GPT(11, 9)
    assert (model.embedding.positions, len(model.blocks), model.out.weight.shape[1]) == ("learned", 4, 128)
    assert isinstance(model.norm, nn.LayerNorm) and model.max_length == 9
