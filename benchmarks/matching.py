"""Matching 32 pictures with 5,444 anchors: zoo_detection, what a user would have instead, and the loop in
tests/reference; in turn, on one thread each.

A user would have the book's function (Dive into Deep Learning 14.4.3), written here as it is defined: on tensors, a
picture at a time. The loop in Python is what the results must equal bit by bit; it takes one picture, and its time is
multiplied by 32.

    python -m benchmarks.matching
"""

from __future__ import annotations

import statistics

import torch

from benchmarks.side_by_side import median_ratio, print_table, rounds
from tests.reference import boxes as reference
from zoo_detection.matching import match_anchors, pairwise_iou, to_corners
from zoo_detection.tiny_ssd import TinySSD

PICTURES, THRESHOLD = 32, 0.5


def book_match(anchors: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
    """Corner anchors (A, 4) and one picture's corner boxes (M, 4) -> the object of each anchor, -1 for none."""
    overlap = pairwise_iou(boxes, anchors).T
    matches = torch.full((len(anchors),), -1)
    best, objects = overlap.max(dim=1)
    matches[best >= THRESHOLD] = objects[best >= THRESHOLD]
    for _ in range(len(boxes)):
        anchor, number = divmod(int(overlap.argmax()), len(boxes))
        matches[anchor] = number
        overlap[:, number] = -1
        overlap[anchor] = -1
    return matches


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    anchors = to_corners(TinySSD(1).anchors)
    rows = [("objects", "the book's, ms", "zoo_detection, ms", "times faster", "than the loop", "equal to it")]
    for objects in (1, 4, 16, 32):
        corner = torch.rand(PICTURES, objects, 2) * 0.6
        boxes = torch.cat((corner, corner + 0.05 + torch.rand(PICTURES, objects, 2) * 0.35), dim=2)
        labels = torch.zeros(PICTURES, objects, dtype=torch.int64)

        def loop(boxes: torch.Tensor = boxes, labels: torch.Tensor = labels, picture: int = 0) -> list[int]:
            return reference.match(anchors.numpy(), boxes[picture].numpy(), labels[picture].tolist(), THRESHOLD)

        def book(boxes: torch.Tensor = boxes) -> torch.Tensor:
            return torch.stack([book_match(anchors, own) for own in boxes])

        def batched(boxes: torch.Tensor = boxes, labels: torch.Tensor = labels) -> torch.Tensor:
            return match_anchors(anchors, boxes, labels, THRESHOLD)

        equal = batched()[:3].tolist() == [loop(picture=picture) for picture in range(3)]
        fast = rounds({"book": book, "batched": batched}, count=31)
        slow = rounds({"loop": loop, "batched": batched}, count=3)
        times = [statistics.median(fast[name]) * 1000 for name in ("book", "batched")]
        ratios = (
            median_ratio(fast["book"], fast["batched"]),
            median_ratio([PICTURES * seconds for seconds in slow["loop"]], slow["batched"]),
        )
        shown = [f"{time:.1f}" for time in times]
        rows.append((str(objects), *shown, f"{ratios[0]:.2f}", f"{ratios[1]:.0f}", "yes" if equal else "NO"))
    print_table(rows)


if __name__ == "__main__":
    main()
