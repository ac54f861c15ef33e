"""Training examples/s, end to end: `zoo`'s FCN recipe against a plain fp32 PyTorch loop of the same network.

The plain loop is the book's (Dive into Deep Learning, 14.9 to 14.11): a Dataset that crops picture and mask and
normalises, a DataLoader, cross entropy, no autocast, no channels-last. Both draw crops of one size from the same
pictures in batches of 8 (zoo's augmentation does more).

    python -m benchmarks.fcn_training [--device cuda] [--batches 12] [--workers 8]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from benchmarks.training import compare

BATCH, VOID = 8, 255
MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)


class Crops(torch.utils.data.Dataset[Any]):
    """The recipe's training pictures, cropped and normalised one by one."""

    def __init__(self, split: Any) -> None:
        self.split = split
        self.size = split[0]["input"].shape[-2:]

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        sample = self.split[index]
        picture, mask = (F.pad(pixels, (8, 8, 8, 8), value=VOID) for pixels in (sample["input"], sample["mask"]))
        top, left = torch.randint(17, (2,)).tolist()
        area = slice(top, top + self.size[0]), slice(left, left + self.size[1])
        return (picture[:, *area].float() / 255 - MEAN) / STD, mask[area]


def plain_loop(net: nn.Module, split: Any, device: torch.device, workers: int) -> Iterator[int]:
    """Train for ever; yields the examples of each step."""
    loader = torch.utils.data.DataLoader(Crops(split), BATCH, shuffle=True, num_workers=workers, drop_last=True)
    optimizer = torch.optim.AdamW(net.parameters(), lr=4e-3)
    while True:
        for pictures, masks in loader:
            pictures, masks = pictures.to(device), masks.to(device)
            loss = F.cross_entropy(net(pictures), masks.long(), ignore_index=VOID)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            yield len(pictures)


def main() -> None:
    compare("fcn", {"train.batch_size": BATCH}, {"plain fp32 loop": plain_loop}, target="on a machine with AMX: 3")


if __name__ == "__main__":
    main()
