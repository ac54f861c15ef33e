"""How commands print: results to stdout, everything else to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any


def print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=True))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(_plain, row))
    Console(soft_wrap=not sys.stdout.isatty(), highlight=False).print(table)


def say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def _plain(text: str) -> Any:
    """Text as it is: brackets in a name are not markup."""
    from rich.text import Text

    return Text(text)
