"""Does a transposed convolution bring channel information back into space? (notes 47)

A convolution of stride 4 turns each patch of 4x4 pixels into one place of C channels. What brings the picture back
best: a transposed convolution, or a 1x1 convolution and bilinear interpolation? For the first, the best weights are
known: the patches' first C principal components, there and back (Eckart and Young, 1936). The second is trained;
whatever C is, its two convolutions are together one of a single channel. Grey photographs of scikit-image;
scikit-learn's is held out. The figure is the share of the variance that comes back.

    python -m experiments.transposed_conv [PICTURE.png]
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import torch
from skimage import data
from sklearn.datasets import load_sample_image
from torch import nn
from torch.nn import functional as F  # noqa: N812

from experiments.tables import print_markdown

STRIDE, SIDE, STEPS = 4, 256, 500
CHANNELS = (1, 2, 4, 8, 16)


def main() -> None:
    photographs: list[Any] = [data.astronaut, data.coffee, data.chelsea, data.rocket]
    pictures = torch.stack([_grey(read(), 0, 0) for read in photographs])
    held_out = _grey(load_sample_image("china.jpg"), 20, 60)[None]
    components = principal_components(pictures)
    random = torch.randn(components.shape, generator=torch.Generator().manual_seed(0)) / STRIDE
    restored = {channels: there_and_back(held_out, components[:channels]) for channels in CHANNELS}
    between = interpolated(pictures, held_out)
    same = there_and_back(held_out, random)
    rows = [
        ["transposed convolution", *(_share(restored[channels], held_out) for channels in CHANNELS)],
        ["1x1 convolution and bilinear interpolation", *[_share(between, held_out)] * len(CHANNELS)],
    ]
    print_markdown(["", *(f"C = {channels}" for channels in CHANNELS)], rows)
    print(f"\nthere and back through one set of 16 random filters: {_share(same, held_out)}")
    if len(sys.argv) > 1:
        shown = {
            "the picture": held_out,
            "16 random filters": same,
            "1 channel": restored[1],
            "4 channels": restored[4],
            "16 channels": restored[16],
            "16 channels, bilinear": between,
        }
        _draw(shown, sys.argv[1])


def there_and_back(pictures: torch.Tensor, filters: torch.Tensor) -> torch.Tensor:
    """(B, 1, H, W) -> (B, C, H / 4, W / 4) -> (B, 1, H, W): the transposed convolution has the same filters."""
    return F.conv_transpose2d(F.conv2d(pictures, filters, stride=STRIDE), filters, stride=STRIDE)


def principal_components(pictures: torch.Tensor) -> torch.Tensor:
    """Of all patches of 4x4, the strongest first: filters (16, 1, 4, 4)."""
    patches = F.unfold(pictures, STRIDE, stride=STRIDE).movedim(1, 2).flatten(0, 1)
    _, _, directions = torch.linalg.svd(patches, full_matrices=False)
    return directions.view(-1, 1, STRIDE, STRIDE)


def interpolated(pictures: torch.Tensor, held_out: torch.Tensor) -> torch.Tensor:
    """The held-out picture by one channel and bilinear interpolation, fitted to the others."""
    model = nn.Sequential(nn.Conv2d(1, 1, STRIDE, STRIDE), nn.Upsample(scale_factor=STRIDE, mode="bilinear"))
    nn.init.constant_(model[0].weight, 1 / STRIDE**2)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    for _ in range(STEPS):
        optimizer.zero_grad()
        F.mse_loss(model(pictures), pictures).backward()
        optimizer.step()
        schedule.step()
    restored: torch.Tensor = model(held_out).detach()
    return restored


def _grey(pixels: np.ndarray, top: int, left: int) -> torch.Tensor:
    """(1, H, W) of a square of the picture, about 0."""
    grey = torch.from_numpy(np.array(pixels)).float().mean(dim=2)[None] / 255 - 0.5
    return grey[:, top : top + SIDE, left : left + SIDE]


def _share(restored: torch.Tensor, picture: torch.Tensor) -> str:
    return f"{float(1 - (restored - picture).square().mean() / picture.var()):.3f}"


def _draw(shown: dict[str, torch.Tensor], path: str) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 2.3), dpi=110, layout="constrained")
    for axes, (title, picture) in zip(figure.subplots(1, len(shown)), shown.items(), strict=True):
        axes.imshow(picture[0, 0, 40:168, 60:188], cmap="gray", vmin=-0.5, vmax=0.5)
        axes.set_title(title, fontsize=10)
        axes.axis("off")
    figure.savefig(path, metadata={"Software": None})


if __name__ == "__main__":
    main()
