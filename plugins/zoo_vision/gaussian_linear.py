"""Synthetic linear regression: Dive into Deep Learning, sections 3.3 and 3.7."""

from __future__ import annotations

import torch

from zoo import Data, TensorSplit
from zoo_vision.bounds import Count, NotNegative


def gaussian_linear(
    num_inputs: Count = 200,
    train_size: Count = 20,
    val_size: Count = 100,
    weight: float = 0.01,
    bias: float = 0.05,
    noise: NotNegative = 0.01,
    seed: int = 0,
) -> Data:
    """y = weight (x_1 + ... + x_n) + bias + noise, of standard normal inputs.

    Samples have `input` float32 (num_inputs,) and `target` float32 (1,). The defaults are the book's overfitting
    example: 20 samples of 200 numbers.

    Args:
        num_inputs: numbers in an input.
        weight: of every input.
        noise: standard deviation of what is added.
        seed: of inputs and noise.
    """
    generator = torch.Generator().manual_seed(seed)

    def drawn(samples: int) -> TensorSplit:
        inputs = torch.randn(samples, num_inputs, generator=generator)
        targets = weight * inputs.sum(dim=1, keepdim=True) + bias
        return TensorSplit(input=inputs, target=targets + noise * torch.randn(samples, 1, generator=generator))

    return Data(
        splits={"train": drawn(train_size), "val": drawn(val_size)}, facts={"num_inputs": num_inputs, "num_outputs": 1}
    )
