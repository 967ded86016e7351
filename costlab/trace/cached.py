"""Results that are worked out once for each trace and dropped with it."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import TypeVar

from .record import Trace

T = TypeVar("T")


def once_per_trace(compute: Callable[[Trace], T]) -> Callable[[Trace], T]:
    """`compute(trace)`, kept as long as the trace is. A trace is immutable and known by identity:
    it holds dicts, so it cannot be hashed, and comparing two would look at every operation."""
    kept: dict[int, T] = {}

    @functools.wraps(compute)
    def look_up(trace: Trace) -> T:
        key = id(trace)
        if key not in kept:
            result = compute(trace)
            weakref.finalize(trace, kept.pop, key, None)
            kept[key] = result
        return kept[key]

    return look_up
