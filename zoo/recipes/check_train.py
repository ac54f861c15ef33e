"""What settings of `[train]` say together, and what their types do not say of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo.errors import nearest
from zoo.recipes.figures import Found
from zoo.recipes.initializers import UnknownInitializer, parse_initializer
from zoo.recipes.schema import Mistake
from zoo.recipes.wording import value_name


def train_mistakes(train: Mapping[str, Any], misspelt: set[str | None]) -> Found:
    """Yield what is wrong with `[train]` beside its types.

    Args:
        misspelt: keys that were meant by unknown ones.
    """
    if "epochs" not in train and "steps" not in train and not {"epochs", "steps"} & misspelt:
        yield Mistake("missing-key", "[train] has neither `epochs` nor `steps`", ("train",), "key"), ""
    initialize = train.get("initialize")
    for pattern, written in initialize.items() if isinstance(initialize, dict) else ():
        try:
            parse_initializer(written if isinstance(written, str) else "zeros")
        except UnknownInitializer as error:
            help = "" if error.suggestion else error.help
            path = ("train", "initialize", pattern)
            yield Mistake("wrong-value", f"{error.message} for `{pattern}`", path, "value", error.suggestion), help
    pairs = [
        ("epochs", "steps"),
        ("warmup_epochs", "warmup_steps"),
        ("evaluate_every_epochs", "evaluate_every_steps"),
    ]
    for one, other in pairs:
        if one in train and other in train:
            message = f"[train] has both `{one}` and `{other}`; choose one"
            yield Mistake("conflict", message, ("train", other), "key"), ""
    device = train.get("device", "auto")
    if isinstance(device, str) and not _is_device(device):
        message = f"`device` of [train] is {value_name(device)}; it should be auto, cpu, cuda or cuda:N"
        is_gpu = device.lower().startswith("gpu")
        suggestion = f"cuda{device[3:]}" if is_gpu else nearest(device, ("auto", "cpu", "cuda"))
        yield Mistake("wrong-value", message, ("train", "device"), "value", suggestion), ""


def _is_device(device: str) -> bool:
    kind, colon, index = device.partition(":")
    return device in ("auto", "cpu", "cuda") or (kind == "cuda" and bool(colon) and index.isdigit())
