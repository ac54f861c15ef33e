"""The task `translation`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any

import torch
from annotated_types import Ge
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from zoo import Batch, InputError, Task
from zoo_seq.tokenizing import BEGIN, END, PAD, WORDS, Tokenizer
from zoo_seq.translation.decoding import beam_search, greedy
from zoo_seq.translation.heat_maps import attention_map, position_map
from zoo_seq.translation.one_sentence import OneSentence, most_alike

SHOWN = 40  # tokens of a sentence in a heat map


class Translation(Task):
    """Sentences -> sentences, for models `model(source, target so far)` -> logits (B, T, V) that can also `begin` and
    `step` (see `zoo_seq.translation.decoding`).

    A batch has `source`, int64 (B, S), with `<eos>` at each end; `target` (B, T), from `<bos>` to `<eos>`; both padded;
    and the texts `references`, a list each. Training is told the true target so far (teacher forcing). Predictions are
    texts.

    Args:
        source_vocab, target_vocab: the tokenizers, from the assets.
        beam: translations kept at a time; 1 takes the likeliest token each time.
        length_penalty: of a beam search, see `beam_search`.
    """

    loss = "cross_entropy"
    metrics = ("bleu", "chrf")
    monitor = "val/loss"

    def __init__(
        self,
        source_vocab: dict[str, Any],
        target_vocab: dict[str, Any],
        beam: Annotated[int, Ge(1)] = 1,
        length_penalty: Annotated[float, Ge(0)] = 0.6,
    ) -> None:
        super().__init__()
        self.source, self.target_language = map(Tokenizer.from_asset, (source_vocab, target_vocab))
        self.beam, self.length_penalty = beam, length_penalty
        index = self.target_language.vocab.index
        self.pad, self.begin, self.end = index[PAD], index[BEGIN], index[END]

    # Training and scoring

    def collate(self, samples: list[dict[str, Any]]) -> Batch:
        batch: Batch = {"source": pad_sequence([sample["source"] for sample in samples], True, self.pad)}
        if "target" in samples[0]:
            batch["target"] = pad_sequence([sample["target"] for sample in samples], True, self.pad)
            batch["references"] = [sample["references"] for sample in samples]
        return batch

    def forward(self, model: Any, batch: Batch) -> Tensor:
        """Logits (B x (T - 1), V), a row for each target token but the first."""
        logits: Tensor = model(batch["source"], batch["target"][:, :-1])
        return logits.flatten(0, 1)

    def target(self, batch: Batch) -> Tensor:
        return batch["target"][:, 1:].flatten()  # type: ignore[no-any-return]

    def predict(self, model: Any, batch: Batch, outputs: Tensor | None = None) -> list[str]:
        """Translations, at most twice as long as their batch's longest source, and ten tokens more."""
        source = batch["source"]
        limit = getattr(model, "max_length", None)
        if limit is not None and source.shape[1] > limit:
            raise InputError(f"the text has {source.shape[1]} tokens, and the model {limit} positions", "split it")
        length = min(2 * source.shape[1] + 10, limit or 10**9)
        if self.beam == 1:
            tokens, _ = greedy(model, source, self.begin, self.end, length)
        else:
            tokens, _ = beam_search(model, source, self.begin, self.end, length, self.beam, self.length_penalty)
        return [self._text(self.target_language, row) for row in tokens.tolist()]

    def update(self, name: str, metric: Any, model: Any, batch: Batch, outputs: Any, predictions: Any) -> None:
        """Texts are compared with the references; logits, where a metric takes these, with the target tokens."""
        if getattr(metric, "takes_outputs", False):
            metric.update(outputs, self.target(batch))
        else:
            metric.update(predictions, batch["references"])

    def baselines(self, train: Iterable[Batch]) -> dict[str, Callable[..., Any]]:
        """`one sentence`: the training translation that has most in common with others, whatever the source says.

        The loss beside it is that of tokens as likely as they are frequent (one of each is added).
        """
        language = self.target_language
        rows = [row[row != self.pad] for batch in train for row in batch["target"][:, 1:]]
        known = [row for row in rows if not language.unknown_share(row)] or rows
        sentence = known[most_alike([self._text(language, row.tolist()) for row in known])]
        return {"one sentence": OneSentence(sentence, torch.cat(rows).bincount(minlength=len(language.vocab)))}

    # Raw inputs and what a person sees

    def sample(self, raw: str) -> dict[str, Any]:
        tokens = self.source.encode(raw)
        if not len(tokens):
            raise InputError(f"`{raw}` has no token to translate", "a sentence, say")
        return {"source": torch.cat([tokens, torch.tensor([self.source.vocab.index[END]])])}

    def describe(self, sample: dict[str, Any], prediction: str) -> dict[str, Any]:
        """`{"text": the translation}`, and `unknown`, the share of the text's tokens that the vocab does not have."""
        unknown = self.source.unknown_share(sample["source"][:-1])
        return {"text": prediction, **({"unknown": round(unknown, 4)} if unknown else {})}

    def answer(self, prediction: str) -> str | float:
        return prediction

    def texts(self, sample: dict[str, Any], prediction: str) -> dict[str, str]:
        source = self._text(self.source, sample["source"].tolist())
        return {"source": source, "truth": " / ".join(sample["references"]), "prediction": prediction}

    def difficulty(self, sample: dict[str, Any], prediction: str) -> float:
        """The share of both texts' words that only one of them has, beside the reference that is nearest."""
        words = set(WORDS.findall(prediction))
        truths = [set(WORDS.findall(text)) for text in sample["references"]]
        return min(1 - len(words & truth) / max(1, len(words | truth)) for truth in truths)

    def pictures(self, model: Any, batch: Batch) -> dict[str, Any]:
        """Return what the first sentence's target looks at, and the positions' code, where the model has them."""
        source, target = batch["source"][:1], batch["target"][:1]
        source = source[:, : min(SHOWN, int((source != self.pad).sum()))]
        target = target[:, : min(SHOWN, int((target != self.pad).sum()) - 1)]
        weights = model.attention_weights(source, target) if hasattr(model, "attention_weights") else None
        drawn = {}
        if weights is not None:
            ends = [
                self.source.vocab.decode(source[0].tolist()),
                self.target_language.vocab.decode(batch["target"][0, 1:].tolist()),
            ]
            drawn["attention"] = attention_map(weights[0].float().cpu(), ends[0], ends[1][: target.shape[1]])
        code = getattr(getattr(model, "target", None), "code", None)
        if code is not None:
            drawn["positions"] = position_map(code.float().cpu())
        return drawn

    def _text(self, tokenizer: Tokenizer, tokens: list[int]) -> str:
        end, others = tokenizer.vocab.index[END], {tokenizer.vocab.index[token] for token in (PAD, BEGIN)}
        kept = tokens[: tokens.index(end)] if end in tokens else tokens
        return tokenizer.decode([token for token in kept if token not in others])
