"""Training pairs/s of a Transformer on English-French pairs, end to end: `zoo`'s recipe against the book's loop.

Both have the same widths, the same pairs and the same batch size; the book's is in fp32. Both translate whole
sentences, but for those that the book cuts.

    python -m benchmarks.transformer_training
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from benchmarks.book_translation import BATCH, DROPOUT, HEADS, LAYERS, LR, BookTransformer, train
from benchmarks.training import PlainLoop, compare

SIZES = [  # width, hidden, tokens that a sentence is padded or cut to, recipe
    (32, 64, 10, "transformer"),
    (256, 1024, 10, "transformer"),
    (256, 1024, 40, "transformer_multi30k"),
]


def main() -> None:
    for width, hidden, steps, recipe in SIZES:
        print(f"\n{recipe}, {width} wide, {steps} tokens a sentence")
        overrides = {
            "model.width": width, "model.hidden": hidden, "model.layers": LAYERS, "model.heads": HEADS,
            "model.dropout": DROPOUT, "model.tied": False, "model.pre_norm": False, "loss.label_smoothing": 0.0,
            "optimizer": {"name": "adam", "lr": LR}, "train.batch_size": BATCH,
        }  # fmt: skip
        compare(recipe, overrides, {"the book's": _book(width, hidden, steps)}, target="3")


def _book(width: int, hidden: int, steps: int) -> PlainLoop:
    def loop(net: Any, split: Any, device: torch.device, workers: int) -> Iterator[int]:
        sizes = (net.source.tokens.num_embeddings, net.target.tokens.num_embeddings)
        return train(BookTransformer(sizes, width, hidden), split, steps)

    return loop


if __name__ == "__main__":
    main()
