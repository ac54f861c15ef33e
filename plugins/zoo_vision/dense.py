"""Networks of dense layers: Dive into Deep Learning, chapters 3 to 5."""

from __future__ import annotations

import torch
from torch import nn

from zoo_vision.bounds import Count, Share
from zoo_vision.layers import ACTIVATIONS, Activation


def linear_regression(num_inputs: Count, num_outputs: Count = 1) -> nn.Module:
    """One dense layer: (B, ...) of `num_inputs` numbers each -> (B, num_outputs) (Dive into Deep Learning, 3.1)."""
    return nn.Sequential(nn.Flatten(), nn.Linear(num_inputs, num_outputs))


def softmax_regression(num_inputs: Count, num_classes: Count) -> nn.Module:
    """One dense layer: (B, ...) of `num_inputs` numbers each -> logits (B, num_classes); the softmax is the loss's
    (Dive into Deep Learning, 4.1)."""
    return nn.Sequential(nn.Flatten(), nn.Linear(num_inputs, num_classes))


class MLP(nn.Module):
    """A multilayer perceptron: (B, ...) of `num_inputs` numbers each -> (B, num_outputs).

    As in Dive into Deep Learning, 5.1.

    Args:
        num_inputs: numbers in an input, whatever its shape.
        num_outputs: classes, or numbers to predict.
        widths: of the hidden layers, first to last; none make a linear model.
        activation: after every hidden layer.
        dropout: share of a hidden layer's outputs that training drops (Srivastava et al., 2014): for all layers, or
            one number each.
        tied: hidden layers of one width share one layer's weights, the first's (section 6.2.3).

    Raises:
        ValueError: there are not as many dropout shares as layers, or no two layers to tie.
    """

    def __init__(
        self,
        num_inputs: Count,
        num_outputs: Count,
        widths: tuple[Count, ...] = (256,),
        activation: Activation = "relu",
        dropout: Share | tuple[Share, ...] = 0.0,
        tied: bool = False,
    ) -> None:
        super().__init__()
        shares = dropout if isinstance(dropout, tuple) else (dropout,) * len(widths)
        if len(shares) != len(widths):
            raise ValueError(f"{len(shares)} shares of `dropout` for {len(widths)} hidden layers")
        if tied and len(set(widths)) == len(widths):
            raise ValueError("`tied` needs two hidden layers of one width")
        layers: list[nn.Module] = [nn.Flatten()]
        known: dict[tuple[int, int], nn.Module] = {}
        inputs = num_inputs
        for width, share in zip(widths, shares, strict=True):
            dense = nn.Linear(inputs, width)
            layers.append(known.setdefault((inputs, width), dense) if tied else dense)
            layers.append(ACTIVATIONS[activation]())
            if share:
                layers.append(nn.Dropout(share))
            inputs = width
        self.hidden = nn.Sequential(*layers)
        self.output = nn.Linear(inputs, num_outputs)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = self.output(self.hidden(inputs))
        return outputs
