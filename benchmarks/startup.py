"""Start-up: `zoo run` of a tiny third-party recipe against `import torch`, and `zoo list` against its own imports.

Compile the bytecode first (`python -m compileall` on the environment), and leave PYTHONDONTWRITEBYTECODE unset.
The tiny plugin is tests/third_party; install it first.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable

from benchmarks.side_by_side import median_ratio, print_table, rounds

ROUNDS = 9
ZOO = [sys.executable, "-m", "zoo"]
TINY = [*ZOO, "run", "tiny_curve", "train.epochs=1", "expect={}"]


def command(arguments: list[str], folder: str) -> Callable[[], object]:
    return lambda: subprocess.run(arguments, cwd=folder, check=True, capture_output=True)


def main() -> None:
    rows = [("command", "seconds", "against", "seconds", "ratio", "target")]
    pairs = [
        ("zoo run tiny_curve", TINY, "import torch", "import torch", "1.8"),
        ("zoo list", [*ZOO, "list"], "import typer, rich.table, pluggy", "import typer, rich.table, pluggy", "1.5"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        for name, arguments, against, imports, target in pairs:
            ours, theirs = command(arguments, folder), command([sys.executable, "-c", imports], folder)
            times = rounds({"ours": ours, "theirs": theirs}, ROUNDS)
            medians = [f"{statistics.median(times[who]):.3f}" for who in ("ours", "theirs")]
            ratio = f"{median_ratio(times['ours'], times['theirs']):.2f}"
            rows.append((name, medians[0], against, medians[1], ratio, target))
    print_table(rows)


if __name__ == "__main__":
    main()
