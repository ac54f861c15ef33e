"""A text of five million characters, read and encoded for the first time; and 100 tokens with a cache and without.

python -m benchmarks.text
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.side_by_side import median_ratio, print_table, rounds
from zoo_seq.language.generation import generate
from zoo_seq.language.gpt import GPT
from zoo_seq.language.text_file import text_file

CHARACTERS = 5_000_000
TOKENS = 100
BATCHES = 1, 8  # texts at a time


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = _long_text(Path(folder) / "long.txt")
        rows = [("splitter", "characters/s", "target")]
        for splitter, target in (("char", "2,000,000"), ("word", "2,000,000"), ("bpe", ""), ("wordpiece", "")):
            before = time.perf_counter()
            text_file(str(file), splitter=splitter)  # type: ignore[arg-type]
            rows.append((splitter, f"{CHARACTERS / (time.perf_counter() - before):,.0f}", target))
    print_table(rows)
    print()
    rows = [row for batch in BATCHES for row in _decoding(batch)]
    print_table([(f"{TOKENS} tokens", "milliseconds", "times faster", "target"), *rows])


def _long_text(file: Path) -> Path:
    from pydoc_data.topics import topics

    text = "\n".join(topics.values())
    file.write_text((text * (1 + CHARACTERS // len(text)))[:CHARACTERS])
    return file


def _decoding(batch: int) -> list[tuple[str, ...]]:
    torch.manual_seed(0)
    model = GPT(100, 256, width=256, layers=6).eval()
    prompt = torch.randint(100, (batch, TOKENS))

    def write(cached: bool) -> torch.Tensor:
        with torch.inference_mode():
            return generate(model, prompt, TOKENS, temperature=0, cached=cached)

    assert torch.equal(write(True), write(False))
    rivals: dict[str, Any] = {"without a cache": lambda: write(False), "with a cache": lambda: write(True)}
    times = rounds(rivals, count=5)
    ratio = median_ratio(times["without a cache"], times["with a cache"])
    return [
        (
            f"{name}, {batch} at a time",
            f"{1000 * statistics.median(found):.0f}",
            *((f"{ratio:.1f}", "5") if name == "with a cache" else ("", "")),
        )
        for name, found in times.items()
    ]


if __name__ == "__main__":
    main()
