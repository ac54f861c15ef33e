"""Pictures that look the same, pair by pair."""

from __future__ import annotations

import torch


def difference_bits(picture: torch.Tensor) -> list[bool] | None:
    """Whether each of 16 x 16 pixels of a small grey version is darker than the one at its right.

    None where there is nothing to see. (C, H, W), whose height is a multiple of 16 and whose width is one of 17.
    """
    channels, height, width = picture.shape
    tall, wide = height // 16, width // 17
    small = []
    for row in range(16):
        cells = []
        for column in range(17):
            cell = picture[:, row * tall : (row + 1) * tall, column * wide : (column + 1) * wide].flatten().tolist()
            cells.append(sum(cell) / (channels * tall * wide))
        small.append(cells)
    steps = [cells[column + 1] - cells[column] for cells in small for column in range(16)]
    return None if max(map(abs, steps)) < 1 else [step > 0 for step in steps]


def groups(pictures: torch.Tensor, near: float) -> list[int]:
    """A number for each picture (N, C, H, W), equal for two where a chain of pairs joins them.

    A pair differs in at most the share `near` of its bits.
    """
    bits = [difference_bits(picture) for picture in pictures]
    numbers = list(range(len(bits)))
    for first, own in enumerate(bits):
        for second, other in enumerate(bits[:first]):
            if own is None or other is None:
                continue
            if sum(a != b for a, b in zip(own, other, strict=True)) <= near * len(own):
                joined, gone = numbers[second], numbers[first]
                numbers = [joined if number == gone else number for number in numbers]
    return numbers
