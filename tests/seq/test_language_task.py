"""The task `language_model`: what it carries from batch to batch, and how it is asked to write."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from zoo import InputError
from zoo_seq.language import recurrent
from zoo_seq.language import task as module
from zoo_seq.language.gpt import GPT
from zoo_seq.language.task import LanguageModel

VOCAB = {"tokens": ["<unk>", *"abc"], "splitter": "char", "normalize": "lower"}
kinds = pytest.mark.parametrize("kind", ["gru", "lstm"])


def some_model(kind: str = "gru") -> Any:
    torch.manual_seed(0)
    return getattr(recurrent, kind)(4, width=8, layers=2).train()


def batch_of(*windows: int) -> dict[str, torch.Tensor]:
    count = len(windows)
    inputs = torch.tensor([[0, 1, 2]] * count)
    return {"input": inputs, "label": (inputs + 1) % 4, "window": torch.tensor(windows)}


@kinds
def test_each_row_goes_on_with_its_own_state(kind: str) -> None:
    """A window that follows the row's last has its state; any other begins anew. Against the model by hand."""
    task, model = LanguageModel(VOCAB), some_model(kind)
    first, state = model(batch_of(4, 9)["input"])
    torch.testing.assert_close(task.forward(model, batch_of(4, 9)), first.flatten(0, 1))
    on, _ = model(batch_of(5, 20)["input"], state)
    begun, _ = model(batch_of(5, 20)["input"])
    found = task.forward(model, batch_of(5, 20)).view(2, 3, 4)
    torch.testing.assert_close(found[0], on[0])
    torch.testing.assert_close(found[1], begun[1])
    assert not torch.allclose(on[0], begun[0])


@kinds
def test_no_gradient_goes_into_the_batch_before(kind: str) -> None:
    """Back-propagation through time is cut where a batch begins (the book's 9.7)."""
    task, model = LanguageModel(VOCAB), some_model(kind)
    task.forward(model, batch_of(4))
    parts = task.state if isinstance(task.state, tuple) else (task.state,)
    assert not any(part.requires_grad for part in parts)
    task.forward(model, batch_of(5)).sum().backward()


def test_a_state_is_of_training_and_of_windows_alone() -> None:
    """Evaluation neither takes a state nor leaves one; nor do windows without numbers."""
    task, model = LanguageModel(VOCAB), some_model()
    begun = task.forward(model.eval(), batch_of(4))
    assert task.get_extra_state() == {}
    task.forward(model.train(), batch_of(4))
    kept = task.get_extra_state()
    torch.testing.assert_close(task.forward(model.eval(), batch_of(5)), begun)
    model.train()
    plain = {name: value for name, value in batch_of(5).items() if name != "window"}
    torch.testing.assert_close(task.forward(model, plain), begun)
    assert task.get_extra_state() == kept
    torch.testing.assert_close(task.forward(model, batch_of(5, 6)), begun.repeat(2, 1))  # other rows than before


@kinds
def test_a_checkpoint_has_the_state_and_its_windows(kind: str) -> None:
    task, again, model = LanguageModel(VOCAB), LanguageModel(VOCAB), some_model(kind)
    task.forward(model, batch_of(4, 9))
    again.load_state_dict(task.state_dict())
    torch.testing.assert_close(again.forward(model, batch_of(5, 10)), task.forward(model, batch_of(5, 10)))
    again.load_state_dict(LanguageModel(VOCAB).state_dict())
    torch.testing.assert_close(again.forward(model, batch_of(5)), LanguageModel(VOCAB).forward(model, batch_of(5)))


def test_a_model_without_a_state_cannot_carry_one() -> None:
    with pytest.raises(InputError, match="carries a state from batch to batch, and GPT has none"):
        LanguageModel(VOCAB).forward(GPT(4, 9, 8, 1, 2).train(), batch_of(4))


def test_predictions_are_the_likeliest_tokens() -> None:
    task, batch = LanguageModel(VOCAB), batch_of(4, 9)
    outputs = torch.eye(4)[[0, 3, 1, 2, 2, 0]]
    assert task.predict(None, batch, outputs).tolist() == [[0, 3, 1], [2, 2, 0]]
    assert task.target(batch).tolist() == [1, 2, 3, 1, 2, 3]


def test_settings_of_the_task_arrive_where_text_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing unknown is written, and the draws are those of the seed."""
    calls: list[Any] = []
    monkeypatch.setattr(module, "generate", lambda *given, **more: calls.append((given, more)))
    model, prompt = some_model(), torch.tensor([[1, 2]])
    LanguageModel(VOCAB).predict(model, {"input": prompt})
    LanguageModel(VOCAB, 7, 0.0, 3, 0.5, 9).predict(model, {"input": prompt})
    (given, more), (other, its) = calls
    assert [more.pop("generator").initial_seed(), its.pop("generator").initial_seed()] == [0, 9]
    assert given == (model, prompt, 100) and other == (model, prompt, 7)
    assert more == {"never": 0, "temperature": 0.8, "top_k": None, "top_p": None}
    assert its == {"never": 0, "temperature": 0.0, "top_k": 3, "top_p": 0.5}


def test_a_prompt_has_as_many_tokens_as_the_model_has_places() -> None:
    task, model = LanguageModel(VOCAB, 2), GPT(4, 3, 8, 1, 2).eval()
    assert task.predict(model, {"input": torch.tensor([[1, 2, 3]])}).shape == (1, 2)
    with pytest.raises(InputError, match="the text has 4 tokens, and the model 3 positions"):
        task.predict(model, {"input": torch.tensor([[1, 2, 3, 1]])})


def test_a_raw_text_is_a_prompt_and_says_what_it_lacks() -> None:
    task = LanguageModel(VOCAB)
    sample = task.sample("aXBx")
    assert sample["input"].tolist() == [1, 0, 2, 0]
    assert task.describe(sample, torch.tensor([3, 1])) == {"text": "ca", "unknown": 0.5}
    assert task.describe(task.sample("a"), torch.tensor([3])) == {"text": "c"}
    with pytest.raises(InputError, match="no token to go on from"):
        task.sample("")
