"""A row of numbers -> the data of a forecast: `tau` numbers, and those that follow."""

from __future__ import annotations

import torch

from zoo import Data, InputError, TensorSplit

HORIZON = 64  # numbers ahead that held-out samples know


def series_data(values: torch.Tensor, tau: int, held_out: float) -> Data:
    """The last part is held out; all numbers are brought to mean 0 and deviation 1 of the first.

    Training samples have `input` (tau,) and `target` (1,); held-out ones also `future` (HORIZON,), which begins with
    the target.

    Raises:
        InputError: there are too few numbers, or they do not vary.
    """
    cut = round(len(values) * (1 - held_out))
    least = tau + HORIZON
    if cut <= tau or len(values) - cut < least:
        raise InputError(
            f"{len(values)} numbers are too few: {cut} to train on, where more than {tau} are needed, and "
            f"{len(values) - cut} held out, where {least} are",
            "a smaller tau, or a larger held_out, may do",
        )
    values = values.double()  # a small change of large numbers is lost in fp32
    mean, deviation = values[:cut].mean(), values[:cut].std()
    if not deviation > 0:
        raise InputError("the numbers to train on are all the same")
    scaled = ((values - mean) / deviation).float()
    windows = scaled[:cut].unfold(0, tau + 1, 1)
    held = scaled[cut:].unfold(0, tau + HORIZON, 1)
    return Data(
        splits={
            "train": TensorSplit(input=windows[:, :tau], target=windows[:, tau:]),
            "val": TensorSplit(input=held[:, :tau], target=held[:, tau : tau + 1], future=held[:, tau:]),
        },
        facts={"num_inputs": tau, "num_outputs": 1},
        assets={"scale": {"mean": float(mean), "deviation": float(deviation), "tau": tau}},
    )
