"""Labelled picture files as splits: decoded once and kept as uint8 where they fit, else read when asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from zoo import Batch, InputError, TensorSplit, cached_tensors, picture_to_tensor, read_picture
from zoo_vision.bounds import Size

MEMORY = 4 << 30  # bytes that the decoded pictures of a data set may take
SHOWN = 5  # files that an error names

# Of ImageNet's photographs, as usual.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class PictureFiles:
    """Files, and what is known of each.

    Args:
        root: the folder that `names` are relative to.
        names: of the files.
        labels: index of each one's class; empty for a test set.
        groups: a number that near-duplicates share; empty where nobody looked.
    """

    root: Path
    names: Sequence[str]
    labels: Sequence[int] = ()
    groups: Sequence[int] = field(default=())

    def chosen(self, indices: Sequence[int]) -> PictureFiles:
        """Some of them."""
        return PictureFiles(
            self.root, *([values[index] for index in indices] if values else [] for values in self._columns())
        )

    def _columns(self) -> tuple[Sequence[Any], ...]:
        return self.names, self.labels, self.groups

    def require_files(self) -> None:
        """All files are there.

        Raises:
            InputError: some are missing; it names the first.
        """
        missing = [name for name in self.names if not (self.root / name).is_file()]
        if missing:
            shown = ", ".join(missing[:SHOWN]) + (" ..." if len(missing) > SHOWN else "")
            raise InputError(f"{len(missing)} of {len(self.names)} pictures are missing in {self.root}: {shown}")


def decoded(files: PictureFiles, size: Size) -> torch.Tensor | None:
    """All pictures, uint8 (N, 3, height, width), from the cache where they are; None where they take too much memory.

    Raises:
        InputError: files are no pictures; it names them all, up to a few.
    """
    if len(files.names) * 3 * size[0] * size[1] > MEMORY:
        return None
    key = f"pictures-{_fingerprint(files)}-{size[0]}x{size[1]}"
    return cached_tensors(key, lambda: {"pictures": _decode(files, size)})["pictures"]


def make_split(files: PictureFiles, pictures: torch.Tensor | None, size: Size, transform: Any = None) -> Any:
    """A split of the files: whole tensors where `pictures` were decoded, else samples that are read by workers."""
    strata, groups = list(files.labels) or None, list(files.groups) or None
    if pictures is None:
        return ReadPictures(files, size, transform, strata, groups)
    labels: dict[str, Any] = {"label": torch.tensor(files.labels)} if files.labels else {}
    return TensorSplit(input=pictures, transform=transform, strata=strata, groups=groups, names=files.names, **labels)


class ReadPictures(torch.utils.data.Dataset[Batch]):
    """A map-style split: `input` uint8 (3, height, width), and `label` where there are labels.

    Args:
        batch_transform: what is done to training batches, on the device.
        strata, groups: one value a sample, for cross-validation.
    """

    def __init__(self, files: PictureFiles, size: Size, batch_transform: Any, strata: Any, groups: Any) -> None:
        self.files, self.size, self.batch_transform = files, size, batch_transform
        self.strata, self.groups, self.names = strata, groups, files.names

    def __len__(self) -> int:
        return len(self.files.names)

    def __getitem__(self, index: int) -> Batch:
        sample: Batch = {"input": _read(self.files.root / self.files.names[index], self.size)}
        if self.files.labels:
            sample["label"] = torch.tensor(self.files.labels[index])
        return sample


def _decode(files: PictureFiles, size: Size) -> torch.Tensor:
    pictures = torch.empty(len(files.names), 3, *size, dtype=torch.uint8)
    unreadable = []

    def decode(index: int) -> None:
        try:
            pictures[index] = _read(files.root / files.names[index], size)
        except InputError as error:
            unreadable.append(str(error))

    with ThreadPoolExecutor() as pool:  # decoding does not hold Python's lock
        list(pool.map(decode, range(len(files.names))))
    if unreadable:
        rest = f"; and {len(unreadable) - SHOWN} more" if len(unreadable) > SHOWN else ""
        raise InputError("; ".join(sorted(unreadable)[:SHOWN]) + rest, "repair the files, or take them off the list")
    return pictures


def _read(file: Path, size: Size) -> torch.Tensor:
    return picture_to_tensor(read_picture(file), size)


def _fingerprint(files: PictureFiles) -> str:
    """Hash names, sizes and times: a changed file makes a new cache."""
    digest = hashlib.sha256(str(files.root.resolve()).encode())
    for name in files.names:
        status = (files.root / name).stat()
        digest.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    return digest.hexdigest()[:20]
