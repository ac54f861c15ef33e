"""Are the learned weights larger where the data have more noise? For the sweep of recipes/noise.toml."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from experiments.tables import grouped, print_markdown, shown, trials
from zoo.runs.weights import read_tensors

KEYS = ("optimizer.weight_decay", "dataset.noise")


def main(folder: Path) -> None:
    def norm(trial: dict[str, Any]) -> float:
        tensors, _ = read_tensors(folder / f"trial-{trial['number']:04d}" / "weights.safetensors")
        return float(tensors["1.weight"].norm())

    found = trials(folder)
    norms, losses = grouped(found, KEYS, norm), grouped(found, KEYS, lambda trial: trial["figures"]["val/loss"])
    decays, noises = (sorted({key[place] for key in norms}) for place in (0, 1))
    rows = [
        [str(decay), *(shown(norms[decay, noise]) for noise in noises), _change(norms, decay, noises)]
        for decay in decays
    ]
    print_markdown(["weight decay", *(f"norm at noise {noise}" for noise in noises), "from least to most noise"], rows)
    print()
    rows = [[str(decay), *(shown(losses[decay, noise]) for noise in noises)] for decay in decays]
    print_markdown(["weight decay", *(f"val loss at noise {noise}" for noise in noises)], rows)


def _change(norms: dict[tuple[Any, ...], list[float]], decay: float, noises: list[float]) -> str:
    """The difference of the norms, seed by seed."""
    first, last = norms[decay, noises[0]], norms[decay, noises[-1]]
    return shown([after - before for before, after in zip(first, last, strict=True)])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
