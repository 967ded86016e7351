"""What a command says on the way to its result: progress on a terminal, and the files it wrote."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
import warnings
from collections.abc import Generator
from contextvars import ContextVar

from .._text import shown

_QUIET: ContextVar[bool] = ContextVar("_QUIET", default=False)
_RUNNING: list[tuple[str, float]] = []  # steps inside each other, and when each began
_LATER = 1.0  # seconds until a step without steps of its own is shown


@contextlib.contextmanager
def silence(quiet: bool) -> Generator[None]:
    """With `quiet`, nothing but results and errors is printed inside: no progress, no names of
    files that were written, no warnings of libraries."""
    token = _QUIET.set(quiet)
    try:
        with warnings.catch_warnings():
            if quiet:
                warnings.simplefilter("ignore")
            yield
    finally:
        _QUIET.reset(token)


def progress_line(text: str) -> None:
    """Show a line of progress on a terminal, over the one before; "" clears it."""
    if sys.stderr.isatty() and not _QUIET.get():
        print(f"\r\033[K{shown(text)}", end="", file=sys.stderr, flush=True)


@contextlib.contextmanager
def working(text: str) -> Generator[None]:
    """Show what takes longer than a second while it runs, such as "tracing resnet50"; of steps
    inside each other the innermost."""
    if not sys.stderr.isatty() or _QUIET.get():
        yield
        return
    _RUNNING.append((text, time.monotonic()))
    timer = threading.Timer(_LATER, _show_innermost)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        _RUNNING.pop()
        progress_line("")
        if _RUNNING and time.monotonic() - _RUNNING[-1][1] >= _LATER:
            _show_innermost()


def _show_innermost() -> None:
    progress_line(f"{_RUNNING[-1][0]} ...")


def wrote(text: str) -> None:
    """Say which file was written."""
    if not _QUIET.get():
        print(shown(text))
