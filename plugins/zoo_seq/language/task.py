"""The task `language_model`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any

import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor

from zoo import Batch, InputError, Task
from zoo_seq.language.generation import generate
from zoo_seq.tokenizing import Tokenizer


class LanguageModel(Task):
    """Predict each next token, for models `model(tokens, state)` -> logits (B, T, V) and a state.

    A batch has `input` and `label`, int64 (B, T). Where it also has `window` (B,), the number of its windows in the
    text, a row whose number is one above the last batch's goes on with that one's state, detached. A prediction from a
    raw text is what follows it.

    Args:
        vocab: the tokenizer, from the assets.
        length: tokens that a prediction has.
        temperature: 0 takes the likeliest token each time; 1 draws tokens as likely as they are.
        top_k: draw from so many likeliest ones only.
        top_p: draw from the likeliest ones that together have this probability.
        seed: of the draws.
    """

    loss = "cross_entropy"
    metrics = ("perplexity",)
    monitor = "val/loss"

    def __init__(
        self,
        vocab: dict[str, Any],
        length: Annotated[int, Ge(1)] = 100,
        temperature: Annotated[float, Ge(0), Le(100)] = 0.8,
        top_k: Annotated[int, Ge(1)] | None = None,
        top_p: Annotated[float, Gt(0), Le(1)] | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.tokenizer = Tokenizer.from_asset(vocab)
        self.length, self.seed = length, seed
        self.drawing: dict[str, Any] = {"temperature": temperature, "top_k": top_k, "top_p": top_p}
        self.state: Any = None
        self.window: Tensor | None = None

    # Training and scoring

    def forward(self, model: Any, batch: Batch) -> Tensor:
        """Logits (B x T, V), a row for each token."""
        state = self._carried(model, batch)
        logits, state = model(batch["input"], state)
        if "window" in batch and model.training:
            self.state, self.window = _each(state, Tensor.detach), batch["window"]
        return logits.flatten(0, 1)  # type: ignore[no-any-return]

    def target(self, batch: Batch) -> Tensor:
        return batch["label"].flatten()  # type: ignore[no-any-return]

    def predict(self, model: Any, batch: Batch, outputs: Tensor | None = None) -> Tensor:
        """The likeliest token at each place (B, T); of a raw text, the tokens that follow it."""
        if "label" in batch:
            outputs = super().predict(model, batch, outputs)
            return outputs.argmax(dim=-1).view(batch["label"].shape)  # (B, T)
        prompt = batch["input"]
        limit = getattr(model, "max_length", None)
        if limit is not None and prompt.shape[1] > limit:
            raise InputError(
                f"the text has {prompt.shape[1]} tokens, and the model {limit} positions", "give it the end of the text"
            )
        generator = torch.Generator(prompt.device).manual_seed(self.seed)
        unknown = self.tokenizer.vocab.unknown
        return generate(model, prompt, self.length, generator=generator, never=unknown, **self.drawing)

    def baselines(self, train: Iterable[Batch]) -> dict[str, Callable[..., Any]]:
        """`unigram`: every token is as likely as it is frequent (one of each is added)."""
        size = len(self.tokenizer.vocab)
        counts = 1 + sum(batch["label"].flatten().bincount(minlength=size) for batch in train)
        logits = (counts / counts.sum()).log()
        return {"unigram": lambda tokens, state=None: (logits.expand(*tokens.shape, -1), state)}

    def _carried(self, model: Any, batch: Batch) -> Any:
        """The state that each row goes on with; zero where a row begins."""
        if "window" not in batch or not model.training:
            return None
        if not getattr(model, "carries_state", False):
            raise InputError(
                f'`sampling = "sequential"` carries a state from batch to batch, and {type(model).__name__} has none',
                'dataset.sampling = "random"',
            )
        if self.state is None or self.window is None or self.window.shape != batch["window"].shape:
            return None
        device = batch["window"].device  # a resumed run's state was read on the CPU
        goes_on = (batch["window"] == self.window.to(device) + 1)[None, :, None]
        return _each(self.state, lambda part: part.to(device) * goes_on)

    def get_extra_state(self) -> dict[str, Any]:
        """Return what the next batch goes on with, for the checkpoint."""
        return {} if self.state is None else {"state": self.state, "window": self.window}

    def set_extra_state(self, state: Mapping[str, Any]) -> None:
        self.state, self.window = state.get("state"), state.get("window")

    # Raw inputs and what a person sees

    def sample(self, raw: str) -> dict[str, Any]:
        tokens = self.tokenizer.encode(raw)
        if not len(tokens):
            raise InputError(f"`{raw}` has no token to go on from", "the beginning of a sentence, say")
        return {"input": tokens, "text": raw}

    def describe(self, sample: dict[str, Any], prediction: Tensor) -> dict[str, Any]:
        """`{"text": what follows}`, and `unknown`, the share of the prompt's tokens that the vocab does not have."""
        unknown = self.tokenizer.unknown_share(sample["input"])
        more = {"unknown": round(unknown, 4)} if unknown else {}
        return {"text": self.tokenizer.decode(prediction.tolist()), **more}


def _each(state: Any, change: Any) -> Any:
    return tuple(map(change, state)) if isinstance(state, tuple) else change(state)
