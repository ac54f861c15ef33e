"""Pictures with masks in files, as splits: whole tensors where all have one size, else read one by one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from PIL import ExifTags, Image

from zoo import Batch, InputError, TensorSplit, cached_tensors, read_picture
from zoo_vision.segmentation.crops import RandomCrop
from zoo_vision.segmentation.masks import read_mask, require_classes

MEMORY = 4 << 30  # bytes that the decoded pictures of a split may take; of more, each is read when it is asked for
BYTES = 4  # a pixel: red, green, blue, and the mask

Found = TypeVar("Found")


@dataclass(frozen=True)
class MaskedPicture:
    """Two files."""

    picture: Path
    mask: Path

    def size(self) -> tuple[int, int]:
        """Height and width; only the files' heads are read.

        Raises:
            InputError: the two differ.
        """
        picture, mask = (_size(file) for file in (self.picture, self.mask))
        if picture != mask:
            shown = [f"{width}x{height}" for height, width in (picture, mask)]
            raise InputError(f"{self.picture} measures {shown[0]} pixels and its mask {self.mask} {shown[1]}")
        return picture

    def read(self, classes: int) -> Batch:
        """`input` uint8 (3, H, W) and `mask` uint8 (H, W).

        Raises:
            InputError: a file cannot be read, or the mask has a value beyond the classes.
        """
        pixels = torch.from_numpy(np.array(read_picture(self.picture)))
        mask = read_mask(self.mask)
        require_classes(mask, classes, self.mask)
        return {"input": pixels.permute(2, 0, 1).contiguous(), "mask": mask}


class MaskedPictures(torch.utils.data.Dataset[Batch]):
    """A map-style split of pictures of any size: `input` uint8 (3, H, W) and `mask` uint8 (H, W).

    Args:
        entries: what to read; decoded once and kept where they take less than `MEMORY`. All masks are checked first.
        classes: how many there are.
        crop: what is done to a sample each time that it is asked for.
    """

    def __init__(self, entries: Sequence[MaskedPicture], classes: int, crop: RandomCrop | None) -> None:
        self.entries, self.classes, self.crop = entries, classes, crop
        self.names = [entry.picture.stem for entry in entries]
        self.kept: list[Batch] | None = None
        pixels = sum(height * width for height, width in (entry.size() for entry in entries))
        if pixels * BYTES <= MEMORY:
            self.kept = _in_threads(lambda entry: entry.read(classes), entries)
        else:
            _in_threads(lambda entry: require_classes(read_mask(entry.mask), classes, entry.mask), entries)

    @property
    def plain(self) -> MaskedPictures:
        """The same pictures, whole."""
        return MaskedPictures(self.entries, self.classes, None)

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> Batch:
        sample = self.kept[index] if self.kept else self.entries[index].read(self.classes)
        if self.crop is None:
            return sample
        generator = torch.Generator().manual_seed(int(torch.randint(1 << 62, ())))  # the core seeds the global one
        cropped = self.crop({name: value[None] for name, value in sample.items()}, generator)
        return {name: value[0] for name, value in cropped.items()}


def make_split(entries: Sequence[MaskedPicture], classes: int, crop: RandomCrop | None) -> Any:
    """A split of the pictures, cropped where `crop` is given, in batches on the device where all have one size.

    Raises:
        InputError: a file cannot be read, picture and mask differ in size, or a mask has a value beyond the classes.
    """
    sizes = set(_in_threads(MaskedPicture.size, entries))
    height, width = sizes.pop()
    if sizes or len(entries) * height * width * BYTES > MEMORY:
        return MaskedPictures(entries, classes, crop)

    def read() -> Batch:
        samples = _in_threads(lambda entry: entry.read(classes), entries)
        return {name: torch.stack([sample[name] for sample in samples]) for name in ("input", "mask")}

    tensors = cached_tensors(f"masks-{_fingerprint(entries)}-{classes}", read)
    names = [entry.picture.stem for entry in entries]
    return TensorSplit(transform=crop, names=names, input=tensors["input"], mask=tensors["mask"])


def largest(entries: Sequence[MaskedPicture]) -> list[int]:
    """Height and width that every picture fits into."""
    return [max(sides) for sides in zip(*(entry.size() for entry in entries), strict=True)]


def _in_threads(work: Callable[[MaskedPicture], Found], entries: Sequence[MaskedPicture]) -> list[Found]:
    with ThreadPoolExecutor() as pool:  # decoding does not hold Python's lock
        return list(pool.map(work, entries))


def _size(file: Path) -> tuple[int, int]:
    """Height and width of a picture once upright."""
    try:
        with Image.open(file) as picture:
            sideways = picture.getexif().get(ExifTags.Base.Orientation, 1) >= 5
            return (picture.width, picture.height) if sideways else (picture.height, picture.width)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{file} cannot be read as a picture: {error}") from error


def _fingerprint(entries: Sequence[MaskedPicture]) -> str:
    """Hash names, sizes and times: a changed file makes a new cache."""
    digest = hashlib.sha256()
    for file in (file for entry in entries for file in (entry.picture, entry.mask)):
        status = file.stat()
        digest.update(f"{file.resolve()}\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    return digest.hexdigest()[:20]
