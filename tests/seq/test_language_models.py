"""Recurrent language models and GPT: against the slow way, and what the task makes of them."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest
import torch

import zoo as zoo_package
from tests.conftest import Command
from zoo import RunFailed, Stopped
from zoo.jobs.recipe import resume
from zoo.runs.folder import Folder
from zoo_seq.language import recurrent
from zoo_seq.language.generation import generate
from zoo_seq.language.gpt import GPT
from zoo_seq.language.task import LanguageModel

MODELS: dict[str, Any] = {
    "rnn": lambda: recurrent.rnn(11, width=8),
    "deep gru": lambda: recurrent.gru(11, width=8, layers=2),
    "lstm written out": lambda: recurrent.lstm(11, width=8, layers=2, cells="written_out"),
    "gpt": lambda: GPT(11, 64, width=16, layers=2, heads=2),
    "gpt, rotary": lambda: GPT(11, 64, width=16, layers=2, heads=2, positions="rotary"),
    "gpt, sine, post-norm": lambda: GPT(11, 64, width=16, layers=2, heads=2, positions="sine", pre_norm=False),
    "gpt, mean of heads, batch norm": lambda: GPT(11, 64, width=16, layers=2, heads=2, combine="mean", norm="batch"),
}
any_model = pytest.mark.parametrize("make", MODELS.values(), ids=MODELS.keys())


def made(make: Any) -> Any:
    torch.manual_seed(0)
    return make().eval()


@any_model
def test_a_state_goes_on_where_the_text_was_left(make: Any) -> None:
    """Two halves, one after the other, have the logits of the whole: of GPT with its cache, too."""
    model = made(make)
    tokens = torch.randint(11, (3, 12))
    whole, _ = model(tokens)
    first, state = model(tokens[:, :5], model.initial_state())
    second, _ = model(tokens[:, 5:], state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole, rtol=1e-4, atol=1e-5)


@any_model
def test_no_token_sees_a_later_one(make: Any) -> None:
    model = made(make)
    tokens = torch.randint(11, (2, 10))
    other = tokens.clone()
    other[:, 6:] = (other[:, 6:] + 1) % 11
    torch.testing.assert_close(model(tokens)[0][:, :6], model(other)[0][:, :6])
    assert not torch.allclose(model(tokens)[0][:, 6:], model(other)[0][:, 6:])


@any_model
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_cache_changes_no_token(make: Any, temperature: float) -> None:
    """100 tokens, which is more than GPT's 64 positions: then it goes on from the last half of them."""
    model = made(make)
    prompt = torch.randint(11, (2, 5))
    with torch.inference_mode():
        texts = [
            generate(model, prompt, 100, temperature, generator=torch.Generator().manual_seed(1), cached=cached)
            for cached in (True, False)
        ]
    assert torch.equal(*texts)
    assert texts[0].shape == (2, 100)


def test_a_bidirectional_language_model_is_refused_with_the_reason(zoo: Command, tmp_path: Path) -> None:
    finished = zoo("run", "gru", "--quick", "model.bidirectional=true", "--out", tmp_path / "run")
    assert finished.status == 2
    assert "would read the token that it is to predict" in finished.stderr


# Runs

SMALL = {
    "model.width": 16,
    "train.batch_size": 8,
    "dataset.num_steps": 16,
    "dataset.held_out_steps": 32,
    "train.device": "cpu",
    "train.precision": "fp32",
}
TEXT = "the time traveller for so it will be convenient to speak of him was expounding a recondite matter to us " * 20


@pytest.fixture
def text(tmp_path: Path) -> Path:
    file = tmp_path / "text.txt"
    file.write_text(TEXT)
    return file


def train(text: Path, out: Path, **more: Any) -> Any:
    settings = {**SMALL, "dataset.path": str(text), "train.epochs": 2, "train.evaluate_every_epochs": 1, **more}
    return zoo_package.run("gru", settings, quick=True, out=out)


@pytest.mark.parametrize(("model", "sampling"), [("gru", "random"), ("gru", "sequential"), ("lstm", "sequential")])
def test_a_resumed_run_carries_its_state_on(
    text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sampling: str, model: str
) -> None:
    """Stopped within an epoch: the hidden state of sequential sampling is part of the checkpoint."""
    more = {"dataset.sampling": sampling, "model.name": model}
    train(text, tmp_path / "unbroken", **more)
    plain, calls = LanguageModel.forward, []

    def stopping(*arguments: Any) -> Any:
        calls.append(0)
        if len(calls) == 8:
            os.kill(os.getpid(), signal.SIGTERM)
        return plain(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(LanguageModel, "forward", stopping)
        with pytest.raises(Stopped):
            train(text, tmp_path / "broken", **more)
    resume(tmp_path / "broken")
    first, second = (tmp_path / name / "weights.safetensors" for name in ("unbroken", "broken"))
    assert first.read_bytes() == second.read_bytes()


def test_gpt_has_no_state_to_carry(text: Path, tmp_path: Path, zoo: Command) -> None:
    finished = zoo(
        "run", "gru", "--quick", f"dataset.path={text}", "dataset.sampling=sequential", "model.name=gpt",
        "--out", tmp_path / "run",
    )  # fmt: skip
    assert finished.status == 2
    assert "carries a state from batch to batch, and GPT has none" in finished.stderr


def test_a_run_writes_text(text: Path, tmp_path: Path, zoo: Command) -> None:
    train(text, tmp_path / "run")
    first, second, greedy = (
        json.loads(zoo("predict", tmp_path / "run", "the time", *more).stdout)
        for more in ((), (), ("--set", "temperature=0", "--set", "length=7"))
    )
    assert first == second
    assert len(first["text"]) == 100
    assert len(greedy["text"]) == 7
    assert json.loads(zoo("predict", tmp_path / "run", "the TIME").stdout)["unknown"] == 0.5
    refused = zoo("predict", tmp_path / "run", "the time", "--set", "temprature=0")
    assert refused.status == 2
    assert "did you mean `temperature`?" in refused.stderr


def test_another_vocab_is_refused_before_a_tensor_is_loaded(
    text: Path, tmp_path: Path, zoo: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edited vocab, and one swapped with manifest and all: the message names both hashes."""
    train(text, tmp_path / "run")
    other = tmp_path / "other.txt"
    other.write_text(TEXT.replace("e", "#"))
    train(other, tmp_path / "other")
    vocab = tmp_path / "run" / "vocab.json"
    whole = vocab.read_bytes()
    vocab.write_bytes(whole.replace(b'"e"', b'"E"'))
    damaged = zoo("predict", tmp_path / "run", "the")
    assert damaged.status == 3
    assert re.search(r"vocab\.json is damaged .* sha256 \w{12}\.\.\. .* it has \w{12}\.\.\.", damaged.stderr)
    vocab.write_bytes(whole)
    Folder.open(tmp_path / "run").commit({"vocab.json": [(tmp_path / "other" / "vocab.json").read_bytes()]})
    monkeypatch.setattr("zoo.runs.pretrained.read_tensors", None)
    with pytest.raises(RunFailed, match=r"they were saved with sha256 \w+\.\.\., and vocab\.json has \w+"):
        zoo_package.load(tmp_path / "run")
