"""torch.profiler's raw events, as the kernels' arithmetic takes them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from torch.profiler import profile

from .kernels import HostEvent, Kernel, is_stamp

os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # it says on stderr that it starts and stops


def profiler_events(profiler: profile) -> list[Any]:
    """Kineto's events of a finished profile, in nanoseconds, memory events included."""
    results: Any = profiler.profiler and profiler.profiler.kineto_results
    return results.events() if results else []


def read_events(events: Iterable[Any]) -> tuple[list[HostEvent], list[Kernel]]:
    """Kineto's events on the host and on the device.

    Calls of the CUDA runtime are left out: their ids are of another numbering than those that
    kernels name. Stamps, and a model's own annotations, are repeated on the device under their
    name: those are no kernels."""
    host: list[HostEvent] = []
    kernels: list[Kernel] = []
    annotations: set[str] = set()
    for e in events:
        name, start, end = e.name(), e.start_ns(), e.start_ns() + e.duration_ns()
        if not str(e.device_type()).endswith("CPU"):
            kernels.append(Kernel(name, start, end, e.linked_correlation_id(), e.correlation_id()))
        elif not e.linked_correlation_id():
            host.append(HostEvent(name, e.correlation_id(), start, end))
        if e.is_user_annotation():
            annotations.add(name)
    return host, [k for k in kernels if not is_stamp(k.name) and k.name not in annotations]
