"""A small model."""

import torch
from torch import nn


class TinyMLP(nn.Module):
    """A perceptron with one hidden layer: (B, num_inputs) -> (B, 1)."""

    def __init__(self, num_inputs: int, width: int = 16, dropout: float = 0.0) -> None:
        super().__init__()
        self.hidden = nn.Linear(num_inputs, width)
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(width, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.dropout(torch.tanh(self.hidden(x))))
