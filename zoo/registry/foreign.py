"""Plugin code, run so that whatever it does costs only itself."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from types import FrameType


class Escape(Exception):
    """An error past `except Exception` that a plugin raised (SystemExit, KeyboardInterrupt ...), as an ordinary one."""


@contextmanager
def foreign_code() -> Iterator[None]:
    """Run the code of a plugin inside: stdout belongs to results, so what it prints goes to stderr.

    Raises:
        Exception: what the code raised, if it is one.
        Escape: the code raised something else.
        KeyboardInterrupt: the person wants to end the program, not the code.
    """
    with _watched_interrupts() as interrupts:
        try:
            with redirect_stdout(sys.stderr):
                yield
        except Exception:
            if interrupts:
                raise KeyboardInterrupt from None
            raise
        except BaseException as error:
            if interrupts:
                raise KeyboardInterrupt from None
            raise Escape(_shown(error)) from error
        if interrupts:  # the code has swallowed it
            raise KeyboardInterrupt


@contextmanager
def _watched_interrupts() -> Iterator[list[int]]:
    """A list that is no longer empty once a Ctrl-C has raised inside: its handler notes that before it raises.

    The exception alone does not tell: `raise KeyboardInterrupt` in a plugin looks the same.
    """
    interrupts: list[int] = []
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler) or threading.current_thread() is not threading.main_thread():
        yield interrupts  # nothing raises here when the signal comes
        return

    def noted(number: int, frame: FrameType | None) -> None:
        try:
            handler(number, frame)
        except BaseException:
            interrupts.append(number)
            raise

    signal.signal(signal.SIGINT, noted)
    try:
        yield interrupts
    finally:
        if signal.getsignal(signal.SIGINT) is noted:
            signal.signal(signal.SIGINT, handler)


def cause(error: BaseException) -> str:
    """Type and message of an exception, as one line that a terminal can show."""
    return str(error) if isinstance(error, Escape) else _shown(error)


def _shown(error: BaseException) -> str:
    try:
        message = " ".join(str(error).split())
    except Exception:  # its __str__ is the plugin's code, too
        message = ""
    printable = "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in message)
    return f"{type(error).__name__}: {printable}" if printable else type(error).__name__
