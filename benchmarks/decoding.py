"""Decoding 32 pictures of trained-like scores: zoo_detection against the loop in tests/reference, in turn, on one
thread each.

python -m benchmarks.decoding
"""

from __future__ import annotations

import statistics

import torch

from benchmarks.side_by_side import median_ratio, print_table, rounds
from tests.reference import boxes as reference
from zoo_detection.decoding import detect
from zoo_detection.matching import encode, pairwise_iou, to_corners
from zoo_detection.tiny_ssd import TinySSD

PICTURES, OBJECTS, CLASSES, SIZE = 32, 4, 3, (256, 256)
SETTINGS = {"score_threshold": 0.01, "iou_threshold": 0.5, "candidates": 400, "max_detections": 100}


def trained_like_outputs() -> dict[str, torch.Tensor]:
    """Sure of nearly all background, and the surer of an object the more an anchor overlaps it."""
    torch.manual_seed(0)
    anchors = TinySSD(CLASSES).anchors
    corner = torch.rand(PICTURES, OBJECTS, 2) * 0.6
    boxes = torch.cat((corner, corner + 0.1 + torch.rand(PICTURES, OBJECTS, 2) * 0.3), dim=2)
    labels = torch.randint(0, CLASSES, (PICTURES, OBJECTS))
    overlap, nearest = pairwise_iou(boxes, to_corners(anchors)).max(dim=1)

    logits = torch.randn(PICTURES, len(anchors), CLASSES + 1) * 0.7
    logits[..., 0] += 10 + torch.randn(PICTURES, len(anchors))
    logits.scatter_add_(2, labels.gather(1, nearest)[..., None] + 1, 16 * overlap[..., None])
    aims = boxes.gather(1, nearest[..., None].expand(-1, -1, 4))
    offsets = encode(aims, anchors) + torch.randn(PICTURES, len(anchors), 4) * 0.3
    return {"anchors": anchors, "logits": logits, "offsets": offsets}


def main() -> None:
    torch.set_num_threads(1)
    outputs = trained_like_outputs()
    scores = outputs["logits"].softmax(dim=2)[..., 1:]
    print(f"{int((scores > SETTINGS['score_threshold']).sum()) / PICTURES:.0f} scores a picture above the threshold")
    for found, expected in zip(
        detect(outputs, SIZE, **SETTINGS), reference.detect(outputs, SIZE, **SETTINGS), strict=True
    ):
        assert found["labels"].tolist() == [label for _, label, _ in expected]
        assert torch.allclose(found["boxes"], torch.tensor([box for _, _, box in expected]), atol=1e-3)

    rivals = {
        "loop": lambda: reference.detect(outputs, SIZE, **SETTINGS),
        "zoo_detection": lambda: detect(outputs, SIZE, **SETTINGS),
    }
    times = rounds(rivals, count=7)
    rows = [("decoding", "milliseconds (median)", "times faster than the loop", "target")]
    for name, seconds in times.items():
        ratio = f"{median_ratio(times['loop'], seconds):.0f}"
        rows.append((name, f"{statistics.median(seconds) * 1000:.1f}", ratio, "" if name == "loop" else "100"))
    print_table(rows)


if __name__ == "__main__":
    main()
