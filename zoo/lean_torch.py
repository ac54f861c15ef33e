"""Keep `torch._dynamo` out of processes that do not compile.

torch.optim imports it in the first constructor and the first step, and that costs more than importing torch itself.
Its wrappers only tell the compiler to look away, so a process that never compiles can go around them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.optim import Optimizer
from torch.optim import optimizer as optimizer_module


def keep_dynamo_out() -> None:
    """Let `Optimizer`'s methods run as written, without the decorator that imports the compiler first."""
    for method in vars(Optimizer).values():
        inner = getattr(method, "__wrapped__", None)
        if inner is not None and getattr(method, "__globals__", {}).get("__name__") == "torch._compile":
            inner.__dynamo_disable = inner


def lean_step(optimizer: Optimizer) -> Callable[[], Any]:
    """The optimizer's `step`, without torch's wrappers for hooks and profiling; call it under `no_grad`."""
    step: Any = type(optimizer).step
    while getattr(step, "__globals__", {}).get("__name__") == optimizer_module.__name__ and hasattr(
        step, "__wrapped__"
    ):
        step = step.__wrapped__
    # Schedules warn where they believe that the optimizer has not stepped; they look at this mark.
    optimizer._opt_called = True  # type: ignore[attr-defined]
    return step.__get__(optimizer)  # type: ignore[no-any-return]
