"""Do gradients reach the first layers? ResNets with and without norms and skips, on a batch of digits (notes 28, 29).

For every network the norm of the loss's gradient in its first convolution, as a share of that in its last: the mean of
three seeds. `zeroed` first sets the scale of the last norm of every branch to zero: each block begins as the identity.

    python -m experiments.gradients
"""

from __future__ import annotations

import statistics

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from experiments.tables import print_markdown
from zoo import Normalize
from zoo_vision.digits import digits
from zoo_vision.resnet import ResNet

DEPTHS = (18, 34, 50, 101)
SEEDS = range(3)
BATCH, SIDE = 64, 32


def main() -> None:
    data = digits(size=(SIDE, SIDE))
    samples = data.splits["train"].tensors
    pictures = F.interpolate(Normalize(data.assets["preprocess"])(samples["input"][:BATCH]), (SIDE, SIDE))
    labels = samples["label"][:BATCH]
    kinds = {
        "norms and skips": {},
        "norms, no skips": {"skip": False},
        "skips, no norms": {"batch_norm": False},
        "neither": {"skip": False, "batch_norm": False},
        "norms and skips, branches zeroed": {"zeroed": True},
    }
    rows = [[name, *(_mean(depth, pictures, labels, **kind) for depth in DEPTHS)] for name, kind in kinds.items()]
    print_markdown(["first layer's gradient, of the last one's", *(f"{depth} layers" for depth in DEPTHS)], rows)


def _mean(depth: int, pictures: torch.Tensor, labels: torch.Tensor, zeroed: bool = False, **kind: bool) -> str:
    shares = []
    for seed in SEEDS:
        torch.manual_seed(seed)
        model = ResNet(10, 1, depth, stem="small", width=0.25, **kind)
        if zeroed:
            for block in model.blocks:
                nn.init.zeros_(block.branch[-1].weight)
        F.cross_entropy(model(pictures), labels).backward()
        convolutions = [module.weight for module in model.modules() if isinstance(module, nn.Conv2d)]
        # Behind a zeroed norm nothing arrives: the first convolution of a stem always learns, the last one may not.
        last = next(weight.grad.norm() for weight in reversed(convolutions) if weight.grad.norm() > 0)
        shares.append(float(convolutions[0].grad.norm() / last))
    return f"{statistics.fmean(shares):.2g}"


if __name__ == "__main__":
    main()
