"""If all pictures were one, would a larger batch teach more? How far a batch's gradient is from that of all (notes 35).

10,000 training pictures of Fashion-MNIST, of which so many are distinct and the others their copies; a perceptron after
one epoch. The mean over 50 batches of |gradient of the batch - gradient of all| / |gradient of all|.

    python -m experiments.same_picture
"""

from __future__ import annotations

import statistics

import torch
from torch.nn import functional as F  # noqa: N812

from experiments.tables import print_markdown
from zoo import Normalize
from zoo_vision.dense import MLP
from zoo_vision.fashion_mnist import fashion_mnist

PICTURES, BATCHES = 10_000, 50
DISTINCT = (1, 10, 100, 1_000, 10_000)
BATCH_SIZES = (1, 8, 32, 128, 512)


def main() -> None:
    torch.manual_seed(0)
    data = fashion_mnist(val_size=0.0, train_size=PICTURES)
    samples = data.splits["train"].tensors
    pictures, labels = Normalize(data.assets["preprocess"])(samples["input"]), samples["label"]
    model = MLP(784, 10, widths=(128,))
    _train_an_epoch(model, pictures, labels)
    rows = []
    for distinct in DISTINCT:
        copies = torch.arange(PICTURES) % distinct
        whole = _gradient(model, pictures[copies], labels[copies])
        cells = []
        for size in BATCH_SIZES:
            batches = [copies[torch.randint(PICTURES, (size,))] for _ in range(BATCHES)]
            errors = [float((_gradient(model, pictures[own], labels[own]) - whole).norm()) for own in batches]
            cells.append(f"{statistics.fmean(errors) / float(whole.norm()):.2f}")
        rows.append([f"{distinct:,}", *cells])
    print_markdown(["distinct pictures", *(f"batch {size}" for size in BATCH_SIZES)], rows)


def _train_an_epoch(model: torch.nn.Module, pictures: torch.Tensor, labels: torch.Tensor) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for own in torch.randperm(PICTURES).split(100):
        optimizer.zero_grad()
        F.cross_entropy(model(pictures[own]), labels[own]).backward()
        optimizer.step()


def _gradient(model: torch.nn.Module, pictures: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    loss = F.cross_entropy(model(pictures), labels)
    return torch.cat([part.flatten() for part in torch.autograd.grad(loss, list(model.parameters()))])


if __name__ == "__main__":
    main()
