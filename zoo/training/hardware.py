"""Which device and which precision a run uses."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from zoo.errors import InputError

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def choose_device(name: str) -> torch.device:
    """`auto`, `cpu`, `cuda` or `cuda:N` -> a device that is there.

    Raises:
        InputError: there is no such device, or a GPU is asked for that this machine lacks.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        device = torch.device("meta")
    if device.type not in ("cpu", "cuda"):
        meant = name.lower().replace("gpu", "cuda")
        near = f"did you mean `{meant}`?" if "gpu" in name.lower() else "auto, cpu, cuda or cuda:N"
        raise InputError(f"there is no device `{name}`", f"--device: {near}")
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= count:
            raise InputError(f"device `{name}`: this machine has {count} CUDA devices", "--device auto, or cpu")
        device = torch.device("cuda", device.index or 0)
        torch.cuda.set_device(device)
    return device


def choose_precision(name: str, device: torch.device) -> str:
    """`auto` -> bf16 where the hardware multiplies in it, else fp32."""
    if name == "fp16" and device.type == "cpu":
        raise InputError("precision `fp16` needs a GPU", 'train.precision="bf16" or "fp32"')
    if name != "auto":
        return name
    return "bf16" if _has_bf16(device) else "fp32"


def autocast(precision: str, device: torch.device) -> AbstractContextManager[Any]:
    """A context to be entered anew for every forward pass."""
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(device.type, DTYPES[precision], cache_enabled=True)


def slowdown_of_threads(rounds: int = 3) -> float:
    """How many times longer a small product takes with all of torch's threads than with one; below 1 where they help.

    Where other programs keep the cores busy, threads wait for one another, and each wait may last a time slice.
    """
    threads = torch.get_num_threads()
    if threads == 1:
        return 1.0
    first, second = torch.ones(256, 256), torch.ones(256, 256)
    seconds = {}
    try:
        for count in (1, threads):
            torch.set_num_threads(count)
            first @ second  # threads are started by the first
            seconds[count] = min(_seconds_of(lambda: [first @ second for _ in range(10)]) for _ in range(rounds))
    finally:
        torch.set_num_threads(threads)
    return seconds[threads] / seconds[1]


def _seconds_of(work: Callable[[], object]) -> float:
    before = time.perf_counter()
    work()
    return time.perf_counter() - before


def placed(part: Any, device: torch.device, channels_last: bool = False) -> Any:
    """A module on the device; what is no module is left as it is."""
    if not isinstance(part, torch.nn.Module):
        return part
    part = part.to(device)
    return part.to(memory_format=torch.channels_last) if channels_last else part


def _has_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    checks = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return any(getattr(torch.cpu, check)() for check in checks if hasattr(torch.cpu, check))
