"""Results that are worked out once for each trace and dropped with it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeVar

from .record import KEPT, Trace

T = TypeVar("T")


def once_per_trace(compute: Callable[[Trace], T]) -> Callable[[Trace], T]:
    """`compute(trace)`, kept as long as the trace is. It is kept in the trace, because results
    refer to their trace: anything outside that held them would hold the trace for ever."""

    @functools.wraps(compute)
    def look_up(trace: Trace) -> T:
        kept = vars(trace).setdefault(KEPT, {})
        if compute not in kept:
            kept[compute] = compute(trace)
        return kept[compute]

    return look_up
