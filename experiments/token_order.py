"""Is it worth numbering tokens by frequency? Rows of an embedding, looked up and added to, in a real text (notes 52.1).

The words of a text numbered by frequency, as `zoo.Vocab` does, or at random: the same rows are needed as often, but in
the one case those that are needed most lie side by side. Times are taken in turns; a ratio above 1 means that frequency
order is faster.

    python -m experiments.token_order [TEXT]
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

import torch
from torch.nn import functional as F  # noqa: N812

from benchmarks.side_by_side import median_ratio, rounds
from experiments.tables import print_markdown
from zoo import find_data
from zoo_seq.tokenizing import Tokenizer

WIDTHS = (64, 256, 1024)
TOKENS = 8192  # a batch
ROUNDS = 15


def main(file: Path) -> None:
    torch.set_num_threads(1)
    text = file.read_text(encoding="utf-8")
    tokenizer = Tokenizer.train(text, "word")
    tokens, size = tokenizer.encode(text), len(tokenizer.vocab)
    shuffled = torch.randperm(size, generator=torch.Generator().manual_seed(0))[tokens]
    rows = []
    for width in WIDTHS:
        weight = torch.randn(size, width)
        ratios = [_ratio(step, weight, tokens, shuffled) for step in (_look_up, _with_gradient)]
        rows.append([str(width), f"{4 * size * width / 2**20:.0f}", *ratios])
    print(f"{len(tokens):,} words, {size:,} of them different; batches of {TOKENS:,}")
    print_markdown(["width", "MiB", "looked up", "looked up, and the gradient added up"], rows)


def _ratio(step, weight: torch.Tensor, ordered: torch.Tensor, shuffled: torch.Tensor) -> str:  # type: ignore[no-untyped-def]
    batches = list(zip(ordered.split(TOKENS), shuffled.split(TOKENS), strict=True))[:20]

    def run(side: int) -> None:
        for both in batches:
            step(weight, both[side])

    times = rounds({"ordered": lambda: run(0), "shuffled": lambda: run(1)}, ROUNDS)
    ratios = sorted(slow / fast for slow, fast in zip(times["shuffled"], times["ordered"], strict=True))
    middle = median_ratio(times["shuffled"], times["ordered"])
    microseconds = 1e6 * statistics.median(times["ordered"]) / len(batches)
    return f"{middle:.2f} ({ratios[2]:.2f} to {ratios[-3]:.2f}), {microseconds:,.0f} microseconds a batch"


def _look_up(weight: torch.Tensor, tokens: torch.Tensor) -> None:
    F.embedding(tokens, weight)


def _with_gradient(weight: torch.Tensor, tokens: torch.Tensor) -> None:
    """As with a sparse update: the rows of a batch, and what is added to them."""
    found = F.embedding(tokens, weight)
    weight.index_add_(0, tokens, found, alpha=-1e-3)


if __name__ == "__main__":
    if sys.argv[1:]:
        main(Path(sys.argv[1]))
    else:
        folder = find_data("wikitext-2", help="put a text there, or name one")
        main(next(file for file in sorted(folder.iterdir()) if "test" in file.name))
