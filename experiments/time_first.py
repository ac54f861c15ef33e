"""Time first, or the batch first? A recurrent layer forward and backward, both ways, in turns (notes 55.1).

python -m experiments.time_first
"""

from __future__ import annotations

import statistics

import torch
from torch import nn

from benchmarks.side_by_side import median_ratio, rounds
from experiments.tables import print_markdown

SHAPES = ((32, 35, 256), (32, 128, 256), (128, 35, 256))  # batch, steps, width
LAYERS = {"RNN": nn.RNN, "GRU": nn.GRU, "LSTM": nn.LSTM}
ROUNDS = 15


def main() -> None:
    torch.set_num_threads(1)
    rows = []
    for name, layer in LAYERS.items():
        for batch, steps, width in SHAPES:
            inputs = torch.randn(steps, batch, width)
            first, second = layer(width, width), layer(width, width, batch_first=True)
            second.load_state_dict(first.state_dict())
            turned = inputs.transpose(0, 1).contiguous()

            def step(network: nn.RNNBase, x: torch.Tensor) -> None:
                network.zero_grad()
                network(x)[0].sum().backward()

            rivals = {"time": lambda: step(first, inputs), "batch": lambda: step(second, turned)}  # noqa: B023
            times = rounds(rivals, ROUNDS)
            ratios = sorted(slow / fast for slow, fast in zip(times["batch"], times["time"], strict=True))
            rows.append(
                [
                    name,
                    f"{batch} x {steps} x {width}",
                    f"{1000 * statistics.median(times['time']):.1f}",
                    f"{1000 * statistics.median(times['batch']):.1f}",
                    f"{median_ratio(times['batch'], times['time']):.2f} ({ratios[2]:.2f} to {ratios[-3]:.2f})",
                ]
            )
    print_markdown(["layer", "batch x steps x width", "time first, ms", "batch first, ms", "batch / time"], rows)


if __name__ == "__main__":
    main()
