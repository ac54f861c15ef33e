"""Pictures of attention and of the positions' code."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from torch import Tensor

HEADS = 8  # that are drawn


def attention_map(weights: Tensor, source: Sequence[str], target: Sequence[str]) -> Any:
    """Weights (heads, T, S) from 0 to 1 -> a map for each of the first heads, a row for each target token."""
    from matplotlib.figure import Figure

    heads = min(HEADS, len(weights))
    figure = Figure(figsize=(max(3, 0.28 * len(source)) * heads + 1, max(3, 0.28 * len(target)) + 1), dpi=90)
    figure.set_layout_engine("constrained")
    for head, axes in enumerate(figure.subplots(1, heads, squeeze=False)[0]):
        axes.imshow(weights[head].numpy(), cmap="magma", vmin=0, vmax=1, aspect="auto")
        axes.set_xticks(range(len(source)), map(_plain, source), rotation=90, fontsize=8)
        axes.set_yticks(range(len(target)), map(_plain, target) if head == 0 else [""] * len(target), fontsize=8)
        axes.set_title(f"head {head + 1}" if heads > 1 else "attention", fontsize=9)
    return _picture(figure)


def position_map(code: Tensor) -> Any:
    """Code (length, width) from -1 to 1 -> a map of it, a row for each position."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), dpi=90, layout="constrained")
    axes = figure.subplots()
    shown = axes.imshow(code.numpy(), cmap="RdBu", vmin=-1, vmax=1, aspect="auto", interpolation="nearest")
    axes.set_xlabel("column")
    axes.set_ylabel("position")
    figure.colorbar(shown)
    return _picture(figure)


def _plain(token: str) -> str:
    """Byte-pair encoding writes a space as a letter of its own."""
    return token.replace("Ġ", "_").replace("$", r"\$")


def _picture(figure: Any) -> Any:
    from PIL import Image

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return Image.open(buffer)
