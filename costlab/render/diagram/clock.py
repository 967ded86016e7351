"""The time that laying a diagram out may take."""

from __future__ import annotations

import time
from dataclasses import dataclass

SECONDS = 20.0  # for a layout; one that takes longer is given up for a smaller depth


class OutOfTimeError(Exception):
    """A layout takes longer than it may."""


@dataclass(frozen=True)
class Clock:
    """Ends a layout at a time of `time.monotonic`; None: never."""

    end: float | None = None

    @classmethod
    def started(cls, seconds: float) -> Clock:
        """Ends after so many seconds."""
        return cls(time.monotonic() + seconds)

    def check(self) -> None:
        """Raises OutOfTimeError after the end."""
        if self.end is not None and time.monotonic() > self.end:
            raise OutOfTimeError
