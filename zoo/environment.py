"""What a run depends on: versions, device, threads, and the data it saw."""

from __future__ import annotations

import hashlib
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

from zoo.data import Data
from zoo.plugins import Plugins
from zoo.randomness import seeded

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
        "dataset": {name: _fingerprint(split) for name, split in data.splits.items()},
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


def _fingerprint(split: Any, looked_at: int = 16) -> dict[str, Any]:
    """A split's size, and a hash of samples spread over it."""
    digest = hashlib.sha256()
    size = len(split)
    with seeded(0):
        for index in range(0, size, max(1, size // looked_at)):
            for name, value in split[index].items():
                digest.update(name.encode())
                digest.update(_bytes(value))
    return {"samples": size, "sha256": digest.hexdigest()}


def _bytes(value: Any) -> bytes:
    if isinstance(value, torch.Tensor):
        return bytes(value.cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return repr(value).encode()
