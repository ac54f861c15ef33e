"""Weights to start from: a run folder, a safetensors file, or a repository on the Hugging Face hub."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import InputError
from zoo.runs.files import cache_folder
from zoo.runs.folder import WEIGHTS, Folder
from zoo.runs.weights import Tensors, check_asset_hashes, read_metadata, read_tensors

HUB = re.compile(r"hub:(?P<repository>[\w.-]+/[\w.-]+)@(?P<revision>[0-9a-f]{40})(?:/(?P<file>.+\.safetensors))?")
HUB_FORM = "hub:OWNER/NAME@COMMIT or hub:OWNER/NAME@COMMIT/FILE.safetensors, the commit in full"


@dataclass
class Pretrained:
    """The place of weights.

    Attributes:
        name: as the recipe has it.
        folder: the run folder, whose assets and components come along; None for a file alone.
        file: the safetensors file.
    """

    name: str
    folder: Folder | None
    file: Path

    @property
    def from_anywhere(self) -> str:
        """The name as a run folder states it: a path in full; what `$ZOO_DATA`, a cache or the hub has, as it is."""
        return str(Path(self.name).absolute()) if Path(self.name).exists() else self.name

    def asset_hashes(self) -> dict[str, str]:
        """The sha256 of each asset that the weights were trained with, as far as that is stated; no tensor is read."""
        if self.folder is not None:
            return self.folder.asset_hashes()
        hashes: dict[str, str] = read_metadata(self.file).get("assets", {})
        return hashes

    def read(self) -> tuple[Tensors, dict[str, str]]:
        """Tensors, and the names that are tied.

        Raises:
            InputError: the file is no safetensors file.
            RunFailed: it is damaged, or belongs to other assets.
        """
        if self.folder is None:
            tensors, metadata = read_tensors(self.file)
        else:
            tensors, metadata = read_weights(self.folder)
        return tensors, metadata.get("tied", {})


def read_weights(folder: Folder) -> tuple[Tensors, dict[str, Any]]:
    """Tensors and metadata of a run folder's weights; no tensor is read before they are known to be its assets'.

    Raises:
        RunFailed: the file is missing or damaged, or belongs to other assets.
    """
    hashes = folder.asset_hashes()

    def checked(file: Path) -> tuple[Tensors, dict[str, Any]]:
        check_asset_hashes(read_metadata(file), hashes, str(folder.path))
        return read_tensors(file)

    return folder.read(WEIGHTS, checked)


def find_pretrained(name: str) -> Pretrained:
    """Return what `[init] from` names.

    A run folder's path; a safetensors file's, which is also looked for under `$ZOO_DATA` and in the cache; or
    `hub:OWNER/NAME@COMMIT`, from which `model.safetensors` is taken unless `/FILE` follows.

    Raises:
        InputError: there is no such thing.
    """
    if name.startswith("hub:"):
        return Pretrained(name, None, _from_hub(name))
    if name.endswith(".safetensors"):
        return Pretrained(name, None, _file(name))
    folder = Folder.open(Path(name))
    return Pretrained(name, folder, folder.path / WEIGHTS)


def _file(name: str) -> Path:
    roots = [Path(), *([Path(os.environ["ZOO_DATA"])] if os.environ.get("ZOO_DATA") else []), cache_folder()]
    candidates = [root / name for root in roots]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    looked = " or ".join(f"`{candidate}`" for candidate in candidates)
    raise InputError(
        f"there are no weights `{name}`: no file {looked}",
        "of a network in memory: safetensors.torch.save_file(network.state_dict(), NAME)",
    )


def _from_hub(name: str) -> Path:
    parts = HUB.fullmatch(name)
    if parts is None:
        raise InputError(f"`{name}` names no weights on the hub", HUB_FORM)
    try:
        import huggingface_hub
    except ImportError as error:
        raise InputError("weights from the hub need a package more", "pip install huggingface-hub") from error
    download: Any = huggingface_hub.hf_hub_download
    file = parts["file"] or "model.safetensors"
    try:
        return Path(download(parts["repository"], file, revision=parts["revision"], cache_dir=cache_folder() / "hub"))
    except Exception as error:
        raise InputError(f"`{name}` could not be fetched ({type(error).__name__}): {error}", HUB_FORM) from error
