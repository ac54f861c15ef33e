from typing import Any

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from zoo import Batch, Normalize, Task


class Projected(nn.Module):
    """A network and a projection head: pictures (B, C, H, W) -> unit vectors (B, projection).

    Args:
        encoder: any model that makes vectors (B, features); of a classifier, state `num_classes` as `features`.
        features: numbers in a vector of the encoder's; `projection` of them in one that the loss compares.
    """

    def __init__(self, encoder: nn.Module, features: int, projection: int = 32) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Sequential(nn.ReLU(), nn.Linear(features, features), nn.ReLU(), nn.Linear(features, projection))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return F.normalize(self.head(self.encoder(pictures)), dim=1)


class NTXent(nn.Module):
    """The normalised cross entropy of similarities over `temperature`, of vectors (B, 2, D) of two views each."""

    whole_batch = True  # the others of a batch are what a view is told from

    def __init__(self, temperature: float = 0.5) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(self, outputs: torch.Tensor, target: None) -> torch.Tensor:
        vectors = outputs.transpose(0, 1).flatten(0, 1)
        logits = (vectors @ vectors.T / self.temperature).fill_diagonal_(-torch.inf)
        return F.cross_entropy(logits, torch.arange(len(vectors), device=vectors.device).roll(len(outputs)))


class SimCLR(Task):
    """Learn from `views`, uint8 (B, 2, C, H, W), two of a picture each."""

    loss = "nt_xent"

    def __init__(self, preprocess: dict[str, Any]) -> None:
        super().__init__()
        self.size, self.normalize = preprocess["size"], Normalize(preprocess)

    def forward(self, model: Any, batch: Batch) -> torch.Tensor:
        pictures = F.interpolate(self.normalize(batch["views"].flatten(0, 1)), self.size, mode="bilinear")
        return model(pictures).unflatten(0, (-1, 2))

    def target(self, batch: Batch) -> None:
        return None
