"""metrics.jsonl: a line of JSON for each event of a run. It only grows, and a torn line costs nothing but itself."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.runs.files import failing_writes


class MetricsLog:
    """The log of one run."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def append(self, event: Mapping[str, Any]) -> None:
        """Add a line, whole or not at all.

        Raises:
            RunFailed: the disk is full or cannot be written.
        """
        line = json.dumps(event).encode() + b"\n"
        with failing_writes(self.file.parent):
            handle = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o644)
            try:
                size = os.fstat(handle).st_size
                if os.write(handle, line) < len(line):
                    os.ftruncate(handle, size)
                    raise OSError(None, "No space left on device")
            finally:
                os.close(handle)

    def flushed_size(self) -> int:
        """Force the lines so far to disk, and return how many bytes they have."""
        if not self.file.exists():
            return 0
        with failing_writes(self.file.parent):
            handle = os.open(self.file, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                os.fsync(handle)
                return os.fstat(handle).st_size
            finally:
                os.close(handle)

    def cut(self, size: int) -> int:
        """Forget what follows the first `size` bytes, and a torn line before; return how many of these are missing.

        Lines after a checkpoint are about to be written again; those before it may have been lost with the power.
        """
        content = self.file.read_bytes()[:size] if self.file.exists() else b""
        whole = content.rfind(b"\n") + 1
        if self.file.exists() and self.file.stat().st_size > whole:
            os.truncate(self.file, whole)
        return size - whole

    def events(self) -> list[dict[str, Any]]:
        """The events in order; what cannot be read as one is left out."""
        lines = self.file.read_bytes().split(b"\n") if self.file.exists() else []
        return [event for event in map(_event, lines) if event is not None]


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) and isinstance(event.get("step"), int) else None
