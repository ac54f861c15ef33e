"""Matching 32 pictures with 5,444 anchors: zoo_detection against the loop in tests/reference, in turn, on
one thread each.

The loop takes one picture, which is multiplied by 32. The results must be equal bit by bit.

    python -m benchmarks.matching
"""

from __future__ import annotations

import statistics

import torch

from benchmarks.side_by_side import median_ratio, print_table, rounds
from tests.reference import boxes as reference
from zoo_detection.matching import match_anchors, to_corners
from zoo_detection.tiny_ssd import TinySSD

PICTURES = 32


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    anchors = to_corners(TinySSD(1).anchors)
    rows = [("objects a picture", "loop, ms", "zoo_detection, ms", "times faster", "equal")]
    for objects in (1, 4, 16, 32):
        corner = torch.rand(PICTURES, objects, 2) * 0.6
        boxes = torch.cat((corner, corner + 0.05 + torch.rand(PICTURES, objects, 2) * 0.35), dim=2)
        labels = torch.zeros(PICTURES, objects, dtype=torch.int64)

        def loop(boxes: torch.Tensor = boxes, labels: torch.Tensor = labels, picture: int = 0) -> list[int]:
            return reference.match(anchors.numpy(), boxes[picture].numpy(), labels[picture].tolist(), 0.5)

        def batched(boxes: torch.Tensor = boxes, labels: torch.Tensor = labels) -> torch.Tensor:
            return match_anchors(anchors, boxes, labels, 0.5)

        equal = batched()[:3].tolist() == [loop(picture=picture) for picture in range(3)]
        times = rounds({"loop": loop, "batched": batched}, count=3)
        slow = [PICTURES * seconds for seconds in times["loop"]]
        numbers = (statistics.median(slow) * 1000, statistics.median(times["batched"]) * 1000)
        ratio = median_ratio(slow, times["batched"])
        rows.append((str(objects), f"{numbers[0]:.0f}", f"{numbers[1]:.1f}", f"{ratio:.0f}", "yes" if equal else "NO"))
    print_table(rows)


if __name__ == "__main__":
    main()
