"""A noisy sine wave."""

from __future__ import annotations

from typing import Annotated

import torch
from annotated_types import Ge, Gt, Lt

from zoo import Data
from zoo_seq.forecasting.series import series_data


def sine(
    size: Annotated[int, Ge(2)] = 1000,
    tau: Annotated[int, Ge(1)] = 4,
    noise: Annotated[float, Ge(0)] = 0.2,
    held_out: Annotated[float, Gt(0), Lt(1)] = 0.4,
    seed: int = 0,
) -> Data:
    """sin(0.01 t) and Gaussian noise, t = 1 ... size (Dive into Deep Learning 9.1; notes 51).

    Args:
        tau: numbers that a forecast is made from. The more, the more context and the fewer samples.
        noise: its standard deviation.
        held_out: the share at the end that is not trained on.
    """
    time = torch.arange(1, size + 1, dtype=torch.float32)
    generator = torch.Generator().manual_seed(seed)
    return series_data(torch.sin(0.01 * time) + noise * torch.randn(size, generator=generator), tau, held_out)
