"""Pictures in files with boxes around objects, as splits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch.nn.utils.rnn import pad_sequence

from zoo import Batch, picture_to_tensor, read_picture

Size = tuple[int, int]
MEMORY = 2 << 30  # bytes that the pictures of a split may take; those of larger ones are read when they are asked for

# Of ImageNet's photographs, as usual.
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


@dataclass(frozen=True)
class BoxedPicture:
    """A file, and the objects in it: boxes as corners in shares of the picture, 0 to 1, and classes from 0."""

    file: Path
    boxes: Sequence[Sequence[float]]
    labels: Sequence[int]


class BoxedPictures(torch.utils.data.Dataset[Batch]):
    """A map-style split: `input` uint8 (3, H, W), `boxes` float32 (N, 4) as corners in pixels, `labels` int64 (N,).

    Args:
        entries: what to read. All files are decoded once, and kept where they fit into `MEMORY`.
        size: height and width that pictures are resized to.
        transform: what is done to a sample each time that it is asked for.
        plain_size: height and width of the same pictures as they are scored, without the transform.
    """

    def __init__(
        self,
        entries: Sequence[BoxedPicture],
        size: Size,
        transform: Callable[[Batch], Batch] | None = None,
        plain_size: Size | None = None,
    ) -> None:
        self.entries, self.size, self.transform, self.plain_size = entries, size, transform, plain_size
        self.pictures: list[torch.Tensor] | None = None
        if self.fits:
            with ThreadPoolExecutor() as pool:  # decoding does not hold Python's lock
                self.pictures = list(pool.map(self._read, entries))

    @cached_property
    def plain(self) -> BoxedPictures:
        """The same pictures as they are scored."""
        return BoxedPictures(self.entries, self.plain_size or self.size)

    @property
    def fits(self) -> bool:
        return len(self.entries) * 3 * self.size[0] * self.size[1] <= MEMORY

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> Batch:
        entry = self.entries[index]
        height, width = self.size
        sample = {
            "input": self.pictures[index] if self.pictures else self._read(entry),
            "boxes": torch.tensor(entry.boxes).view(-1, 4) * torch.tensor([width, height, width, height]),
            "labels": torch.tensor(entry.labels, dtype=torch.int64),
        }
        return self.transform(sample) if self.transform else sample

    def _read(self, entry: BoxedPicture) -> torch.Tensor:
        return picture_to_tensor(read_picture(entry.file), self.size)


def whole_tensors(split: BoxedPictures) -> Batch:
    """A split's `input`, `boxes` and `labels` with a leading dimension of samples; boxes padded with 0, labels -1."""
    samples = [split[index] for index in range(len(split))]
    return {
        "input": torch.stack([sample["input"] for sample in samples]),
        "boxes": pad_sequence([sample["boxes"] for sample in samples], batch_first=True),
        "labels": pad_sequence([sample["labels"] for sample in samples], batch_first=True, padding_value=-1),
    }
