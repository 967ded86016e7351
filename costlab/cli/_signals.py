"""The signals that ask a process to end."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Generator
from types import FrameType
from typing import NoReturn

_ENDING = ("SIGTERM", "SIGHUP")  # of `kill` and of a terminal that closes; Windows has no SIGHUP


class Terminated(KeyboardInterrupt):
    """A signal asks the process to end: whatever Ctrl-C passes and cleans up, this does too."""

    def __init__(self, number: int):
        super().__init__()
        self.exit_code = 128 + number


@contextlib.contextmanager
def terminable() -> Generator[None]:
    """Inside, signals that would end the process raise `Terminated`. One that is ignored, as under
    nohup, or that the program handles itself stays so. Only the main thread can do this."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    known = [getattr(signal, name) for name in _ENDING if hasattr(signal, name)]
    taken = [number for number in known if signal.getsignal(number) == signal.SIG_DFL]
    for number in taken:
        signal.signal(number, _terminate)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


def _terminate(number: int, _: FrameType | None) -> NoReturn:
    raise Terminated(number)
