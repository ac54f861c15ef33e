from typing import Any

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from zoo import Batch, Task


def encoder(vocab_size: int) -> nn.Module:
    layers = [nn.TransformerEncoderLayer(32, 2, 64, dropout=0.0, batch_first=True) for _ in range(2)]
    return nn.Sequential(nn.Embedding(vocab_size, 32), *layers)


class MaskedLanguageModel(nn.Module):
    """Tokens (B, T) -> `words`, logits (B, T, vocab_size), and `next`, logits (B, 2)."""

    def __init__(self, vocab_size: int) -> None:
        super().__init__()
        self.encoder, self.words, self.next = encoder(vocab_size), nn.Linear(32, vocab_size), nn.Linear(32, 2)

    def forward(self, tokens: Tensor) -> dict[str, Tensor]:
        vectors = self.encoder(tokens)
        return {"words": self.words(vectors), "next": self.next(vectors[:, 0])}


class SentenceClasses(nn.Module):
    """Tokens (B, T) -> logits (B, num_classes)."""

    def __init__(self, vocab_size: int, num_classes: int) -> None:
        super().__init__()
        self.encoder, self.head = encoder(vocab_size), nn.Linear(32, num_classes)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(self.encoder(tokens)[:, 0])


class WordsAndNext(nn.Module):
    """Cross entropies: `words`, a mean over the masked words, and `next`, a mean over the pairs."""

    def forward(self, outputs: dict[str, Tensor], target: Batch) -> dict[str, Any]:
        count = (target["words"] >= 0).sum()
        words = cross_entropy(outputs["words"].flatten(0, 1), target["words"].flatten(), reduction="sum")
        return {"words": (words / count.clamp(min=1), count), "next": cross_entropy(outputs["next"], target["next"])}


class MaskedLanguage(Task):
    """Batches have `input` (B, T), tokens; `words` (B, T), those that are masked, else -100; `next` (B,), 1 for yes."""

    loss = "mlm"
    metrics = tuple({"name": "accuracy", "ignore_index": -100, "as": name} for name in ("words", "next"))

    def target(self, batch: Batch) -> Batch:
        return batch

    def predict(self, model: Any, batch: Batch, outputs: Any = None) -> Tensor:
        return super().predict(model, batch, outputs)["words"].argmax(dim=2)

    def update(self, name: str, metric: Any, model: Any, batch: Batch, outputs: Any, predictions: Any) -> None:
        metric.update(outputs[name].argmax(dim=-1), batch[name])
