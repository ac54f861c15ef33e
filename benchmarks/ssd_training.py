"""Training examples/s, end to end: `zoo`'s TinySSD recipe against a plain fp32 PyTorch loop of the same network.

The plain loop is what a course teaches: a DataLoader of float pictures, matching picture by picture with a loop over
the objects, the loss over all anchors, no autocast, no channels-last. Both see the same pictures with the same flips
(zoo's augmentation does more), in batches of 32.

    python -m benchmarks.ssd_training [--device cuda] [--batches 12] [--workers 8]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from benchmarks.training import compare

BATCH = 32


class Pictures(torch.utils.data.Dataset[Any]):
    """The recipe's training pictures as floats, flipped half of the time."""

    def __init__(self, split: Any) -> None:
        self.split = split

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        sample = self.split[index]
        picture, boxes = sample["input"].float() / 255, sample["boxes"].clone()
        width = picture.shape[-1]
        if torch.rand(()) < 0.5:
            picture = picture.flip(-1)
            boxes[:, [0, 2]] = width - boxes[:, [2, 0]]
        return picture, boxes / width, sample["labels"]


def overlaps(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """(A, 4) and (M, 4) corners -> IoU (A, M)."""
    low = torch.maximum(one[:, None, :2], other[:, :2])
    high = torch.minimum(one[:, None, 2:], other[:, 2:])
    shared = (high - low).clamp(min=0).prod(2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(1) for boxes in (one, other)]
    return shared / (areas[0][:, None] + areas[1] - shared)


def matched(anchors: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
    """The object of each anchor of one picture, or -1."""
    table = overlaps(anchors, boxes)
    best, which = table.max(1)
    result = torch.where(best >= 0.5, which, torch.full_like(which, -1))
    for _ in range(len(boxes)):
        anchor, box = divmod(int(table.argmax()), len(boxes))
        result[anchor] = box
        table[anchor], table[:, box] = -1, -1
    return result


def targets(anchors: torch.Tensor, boxes: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Classes (B, A), offsets (B, A, 4) and mask (B, A, 1), picture by picture."""
    corners = torch.cat([anchors[:, :2] - anchors[:, 2:] / 2, anchors[:, :2] + anchors[:, 2:] / 2], 1)
    classes, offsets = [], []
    for own_boxes, own_labels in zip(boxes, labels, strict=True):
        real = own_labels >= 0
        own_boxes, own_labels = own_boxes[real], own_labels[real]
        match = matched(corners, own_boxes)
        hit = match >= 0
        classes.append(torch.where(hit, own_labels[match.clamp(min=0)] + 1, 0))
        box = own_boxes[match.clamp(min=0)]
        centre, side = (box[:, :2] + box[:, 2:]) / 2, box[:, 2:] - box[:, :2]
        shift = 10 * (centre - anchors[:, :2]) / anchors[:, 2:]
        stretch = 5 * torch.log(1e-6 + side / anchors[:, 2:])
        offsets.append(torch.cat([shift, stretch], 1) * hit[:, None])
    return torch.stack(classes), torch.stack(offsets), torch.stack(classes)[..., None] > 0


def plain_loop(net: nn.Module, split: Any, device: torch.device, workers: int) -> Iterator[int]:
    """Train for ever; yields the examples of each step."""
    loader = torch.utils.data.DataLoader(Pictures(split), BATCH, shuffle=True, num_workers=workers, drop_last=True)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, weight_decay=5e-4)
    while True:
        for pictures, boxes, labels in loader:
            pictures, boxes, labels = pictures.to(device), boxes.to(device), labels.to(device)
            outputs = net(pictures)
            classes, offsets, mask = targets(outputs["anchors"], boxes, labels)
            class_loss = F.cross_entropy(outputs["logits"].flatten(0, 1), classes.flatten())
            box_loss = F.l1_loss(outputs["offsets"] * mask, offsets * mask)
            optimizer.zero_grad()
            (class_loss + box_loss).backward()
            optimizer.step()
            yield len(pictures)


def main() -> None:
    compare("ssd", {"train.batch_size": BATCH}, {"plain fp32 loop": plain_loop}, target="on a CPU with AMX: 4")


if __name__ == "__main__":
    main()
