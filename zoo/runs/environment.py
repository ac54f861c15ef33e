"""What a run depends on: versions, device, threads, and the data it saw."""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

from zoo.data import Data, TensorSplit
from zoo.registry.plugins import Plugins
from zoo.training.randomness import seeded

PACKAGES = ("torch", "torchvision", "torchmetrics", "numpy", "safetensors")


def describe_environment(device: torch.device, data: Data, plugins: Plugins) -> dict[str, Any]:
    import zoo

    return {
        "python": platform.python_version(),
        "zoo": zoo.__version__,
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "plugins": {
            plugin.name: {"distribution": plugin.distribution, "version": plugin.version}
            for plugin in plugins.plugins
            if not plugin.error
        },
        "cuda": torch.version.cuda,
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else _processor(),
        "threads": torch.get_num_threads(),
        "platform": platform.platform(),
        "dataset": fingerprints(data),
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    if sys.platform == "linux":
        with open("/proc/cpuinfo") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    return platform.processor()


def fingerprints(data: Data) -> dict[str, Any]:
    """The size of each split, and a hash: of all its tensors, or of samples spread over it and of their names."""
    return {name: _fingerprint(split) for name, split in data.splits.items()}


def _fingerprint(split: Any, looked_at: int = 16) -> dict[str, Any]:
    digest = hashlib.sha256()
    size = len(split)
    columns = {name: getattr(split, name, None) for name in ("strata", "groups", "names")}
    if isinstance(split, TensorSplit):
        samples: Iterable[dict[str, Any]] = [split.tensors]
    else:
        samples = (split[index] for index in range(0, size, max(1, size // looked_at)))
    with seeded(0):
        for sample in (*samples, {name: list(values) for name, values in columns.items() if values is not None}):
            for name, value in sample.items():
                digest.update(name.encode())
                digest.update(_bytes(value))
    return {"samples": size, "sha256": digest.hexdigest()}


def _bytes(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data
    return repr(value).encode()
