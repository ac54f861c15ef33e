"""Distilling the Knowledge in a Neural Network (Hinton, Vinyals and Dean, 2015)."""

from typing import Annotated, Any

import torch
from annotated_types import Ge, Gt, Le
from torch import nn
from torch.nn import functional as F  # noqa: N812

from zoo import RunFolder


class Distillation(nn.Module):
    """Cross entropy of logits (B, C) with labels (B,), and in training with a teacher's probabilities, too.

    Args:
        teacher: a run of a classifier with the same classes.
        temperature: what both logits are divided by before they are compared: from 1 up, small probabilities count.
        alpha: the share of the teacher in the loss, from 0 to 1.
    """

    def __init__(
        self,
        teacher: RunFolder,
        temperature: Annotated[float, Gt(0)] = 4.0,
        alpha: Annotated[float, Ge(0), Le(1)] = 0.9,
    ) -> None:
        super().__init__()
        self.teacher = teacher
        self.temperature = temperature
        self.alpha = alpha

    def forward(self, outputs: torch.Tensor, target: torch.Tensor, batch: dict[str, Any]) -> Any:
        hard = F.cross_entropy(outputs, target)
        if not self.training:
            return hard
        ours, theirs = outputs / self.temperature, self.teacher.outputs(batch) / self.temperature
        soft = F.kl_div(ours.log_softmax(dim=1), theirs.log_softmax(dim=1), reduction="batchmean", log_target=True)
        return {"hard": (1 - self.alpha) * hard, "soft": self.alpha * self.temperature**2 * soft}
