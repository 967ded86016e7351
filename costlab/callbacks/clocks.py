"""When steps begin and end, without waiting for the device."""

from __future__ import annotations

import time
from typing import Any, Protocol

import torch


class Clock(Protocol):
    """Marks moments, and tells the time between two of them later."""

    def mark(self) -> Any:
        """This moment, for the device."""
        ...

    def seconds(self, start: Any, end: Any) -> float | None:
        """Seconds between two moments; None while the device has not come to the later one."""
        ...


class HostClock:
    """The host's clock, for devices that finish what they are asked before they return."""

    def mark(self) -> float:
        return time.perf_counter()

    def seconds(self, start: float, end: float) -> float:
        return end - start


class CudaClock:
    """CUDA events on the current stream: the device is never synchronized."""

    def mark(self) -> torch.cuda.Event:
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def seconds(self, start: torch.cuda.Event, end: torch.cuda.Event) -> float | None:
        return start.elapsed_time(end) * 1e-3 if end.query() else None


def clock_for(device: torch.device) -> Clock:
    """The clock of a device."""
    return CudaClock() if device.type == "cuda" else HostClock()
