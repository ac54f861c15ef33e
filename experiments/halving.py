"""The models of a sweep over `model`, with their parameters, the multiplications of a picture, and what they reached.

zoo sweep halving --out runs/halving && python -m experiments.halving runs/halving
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from experiments.tables import grouped, print_markdown, shown, text, trials
from zoo_vision.resnet import ResNet


def main(folder: Path) -> None:
    rows = []
    for (model,), values in grouped(trials(folder), ["model"], lambda trial: trial["value"]).items():
        settings = {key: value for key, value in model if key != "name"}
        parameters, multiplications = _size(ResNet(10, 1, **settings))
        rows.append([text(model), f"{parameters:,}", f"{multiplications / 1e6:.1f} M", shown(values, 4)])
    print_markdown(["model", "parameters", "multiplications", "figure"], rows)


def _size(model: torch.nn.Module) -> tuple[int, float]:
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        model(torch.zeros(1, 1, 28, 28))
    return sum(parameter.numel() for parameter in model.parameters()), counter.get_total_flops() / 2


if __name__ == "__main__":
    main(Path(sys.argv[1]))
