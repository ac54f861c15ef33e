"""Keep `torch._dynamo` out of processes that do not compile.

torch.optim imports it in the first constructor and the first step, and that costs as much as importing torch itself.
Its wrappers only tell the compiler to look away, so a process that never compiles can go around them.
"""

from __future__ import annotations

from types import MethodType
from typing import Any

import torch
from torch.optim import Optimizer
from torch.optim import optimizer as optimizer_module


def keep_dynamo_out() -> None:
    """Let `Optimizer`'s methods run as written, without the decorator that imports the compiler first."""
    for method in vars(Optimizer).values():
        inner = getattr(method, "__wrapped__", None)
        if inner is not None and getattr(method, "__globals__", {}).get("__name__") == "torch._compile":
            inner.__dynamo_disable = inner


def keep_dynamo_out_of_steps(optimizer: Optimizer) -> None:
    """Give a `torch.optim` optimizer a `step` that imports no compiler: torch's own, hooks and profiling included."""
    step: Any = type(optimizer).step
    inner = step
    while _is_torch_s_wrapper(inner):
        inner = inner.__wrapped__
    if inner is not step and not optimizer.defaults.get("differentiable"):
        hooked = Optimizer.profile_hook_step(torch.no_grad()(inner))
        optimizer.step = MethodType(hooked, optimizer)  # type: ignore[method-assign]


def _is_torch_s_wrapper(function: Any) -> bool:
    return hasattr(function, "__wrapped__") and function.__globals__["__name__"] == optimizer_module.__name__
