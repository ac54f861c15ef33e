"""A folder of pictures for each class, as torchvision's ImageFolder has it."""

from __future__ import annotations

from pathlib import Path

from zoo import Data, InputError, find_data
from zoo_vision.augment import Change
from zoo_vision.bounds import Share, Size
from zoo_vision.picture_files import PictureFiles
from zoo_vision.picture_splits import SplitBy, split_files

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
SPLITS = ("train", "val", "test")


def picture_folder(
    folder: str = "pictures",
    root: Path | None = None,
    size: Size = (224, 224),
    val_size: Share = 0.2,
    split: SplitBy = "stratified",
    augment: tuple[Change, ...] = ("resized_crop", "flip"),
    seed: int = 0,
) -> Data:
    """Pictures in `<class>/`, or in `train/<class>/`, `val/<class>/` and `test/<class>/`.

    Classes are the folders' names, sorted. Where there is no `val` folder, a part of `train` becomes it.

    Args:
        folder: name of the folder under `$ZOO_DATA` or in the cache.
        root: the folder itself, wherever it is; then `folder` says nothing.
        size: height and width that pictures are resized to; their shape is let go.
        val_size: share of the training pictures that becomes the split `val`; with 0 there is none.
        split: how they are chosen; see `split_files`.
        augment: changes to training pictures; see `Augment`.
        seed: of what is held out.

    Raises:
        zoo.InputError: there is no such folder, or its pictures do not lie in two folders or more, one a class; a
            folder holds no pictures, a file is none, or `val` or `test` has a class that `train` has not.
    """
    found = find_data(folder, root, help=f"put a folder for each class into $ZOO_DATA/{folder}, or name it as `root`")
    if (found / "train").is_dir():
        files = {name: _files(found / name) for name in SPLITS if (found / name).is_dir()}
    else:
        files = {"train": _files(found)}
    classes = sorted(files["train"])
    if len(classes) == 1:
        raise InputError(
            f"{found} has one folder of pictures, `{classes[0]}`: there is one for each class to be, so two or more",
            f'if the classes lie in it: root = "{found / classes[0]}"',
        )
    for name, own in files.items():
        for unknown in sorted(set(own) - set(classes)):
            raise InputError(f"{found / name} has a class `{unknown}`, and `train` has none of that name")
    listed = {
        name: PictureFiles(
            found / name if (found / "train").is_dir() else found,
            [file for label in sorted(own) for file in own[label]],
            [classes.index(label) for label in sorted(own) for _ in own[label]],
        )
        for name, own in files.items()
    }
    return split_files(listed, classes, size=size, val_size=val_size, split=split, augment=augment, seed=seed)


def _files(folder: Path) -> dict[str, list[str]]:
    """Names of the pictures of each class, relative to the folder, in an order that is the same everywhere."""
    classes = sorted(child.name for child in folder.iterdir() if child.is_dir() and not child.name.startswith("."))
    if not classes:
        raise InputError(
            f"{folder} has no folders: there is one for each class to be", "picture_csv takes a list of files"
        )
    files = {
        name: sorted(str(file.relative_to(folder)) for file in (folder / name).rglob("*") if _is_picture(file, folder))
        for name in classes
    }
    for name, own in files.items():
        if not own:
            raise InputError(f"{folder / name} holds no picture", f"endings are {', '.join(ENDINGS)}")
    return files


def _is_picture(file: Path, folder: Path) -> bool:
    """Tell a picture by its ending; what is hidden (a notebook's checkpoints, a Mac's notes on each file) is none."""
    hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
    return not hidden and file.suffix.lower() in ENDINGS
