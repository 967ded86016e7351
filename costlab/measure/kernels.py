"""Which operation each kernel on a device belongs to, and what the device did in all that time.

Pure arithmetic on intervals: the profiler's events come in as `HostEvent` and `Kernel`, so that
all of this is tested with events written by hand.

An operation's time is the union of its kernels' intervals, because a library may run the parts of
one operation side by side (cuDNN: the groups of a convolution).
"""

from __future__ import annotations

import bisect
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from ..trace import Account

_STAMP, _RUN_STAMP = "costlab#", "costlab-run#"  # of record_function: #RUN#OPERATION, #RUN
_COPY_PREFIXES = ("mem", "Mem")  # "Memcpy DtoD" called from Python is "memcpy32_post" in a graph
NANO = 1e-9


@dataclass(frozen=True)
class HostEvent:
    """An interval on the host: a stamp, an operation of torch's, a call of the CUDA runtime.
    `id` is what kernels that it launched name as their `launched_by`; times in nanoseconds."""

    name: str
    id: int
    start: int
    end: int


@dataclass(frozen=True)
class Kernel:
    """An interval on the device, in nanoseconds. `launched_by`: the `id` of the host event that
    launched it (0: not known); `group`: kernels of one graph launch share it. `operation` and
    `run` are filled by `assign`; None where it belongs to none."""

    name: str
    start: int
    end: int
    launched_by: int = 0
    group: int = 0
    run: int | None = None
    operation: int | None = None


@dataclass(frozen=True)
class InPlace:
    """Times of the operations of one model, in seconds. `operations`: of each, its kernels'
    union, a median over runs. `other`: kernels of no operation; `account`: the whole device."""

    operations: tuple[float, ...]
    other: float
    account: Account


def stamp(run: int, operation: int) -> str:
    """The name of the record_function around one operation of one run."""
    return f"{_STAMP}{run}#{operation}"


def run_stamp(run: int) -> str:
    """The name of the record_function around one run."""
    return f"{_RUN_STAMP}{run}"


def is_stamp(name: str) -> bool:
    """Whether a name is one of ours. The profiler repeats stamps on the device, as no kernels."""
    return name.startswith((_STAMP, _RUN_STAMP))


def union(intervals: Iterable[tuple[int, int]]) -> int:
    """The length of the time that at least one interval covers."""
    covered, reached = 0, None
    for start, end in sorted(intervals):
        if reached is None or start > reached:
            covered, reached = covered + end - start, end
        elif end > reached:
            covered, reached = covered + end - reached, end
    return covered


class _Stamps:
    """The stamps of one kind, in time order; they follow one another and never nest."""

    def __init__(self, events: Sequence[HostEvent]):
        self.events = sorted(events, key=lambda e: e.start)
        self.starts = [e.start for e in self.events]

    def around(self, time: int) -> HostEvent | None:
        """The stamp that was open at `time`."""
        i = bisect.bisect_right(self.starts, time) - 1
        return self.events[i] if i >= 0 and time <= self.events[i].end else None


def assign(host: Sequence[HostEvent], kernels: Sequence[Kernel]) -> list[Kernel]:
    """Each kernel with the run and the operation whose stamp was open when it was launched.

    A kernel whose launch is not known, or that was launched outside every run, keeps None."""
    runs = _Stamps([e for e in host if e.name.startswith(_RUN_STAMP)])
    operations = _Stamps([e for e in host if e.name.startswith(_STAMP)])
    launched_at: dict[int, int] = {}
    for e in host:  # a runtime call repeats the id of the operation that made it: the first is it
        launched_at[e.id] = min(e.start, launched_at.get(e.id, e.start))
    found: list[Kernel] = []
    for kernel in kernels:
        at = launched_at.get(kernel.launched_by)
        run = runs.around(at) if at is not None else None
        operation = operations.around(at) if at is not None else None
        found.append(
            replace(
                kernel,
                run=int(run.name.split("#")[1]) if run else None,
                operation=int(operation.name.split("#")[2]) if operation else None,
            )
        )
    return found


def _kind(name: str) -> str:
    """What a kernel's name says in calls from Python and in a graph alike."""
    return "memory operation" if name.startswith(_COPY_PREFIXES) else name


def match_replays(pattern: Sequence[Kernel], replayed: Sequence[Kernel]) -> list[Kernel] | None:
    """The kernels of graph replays with the operations that they have in `pattern`, the kernels
    of one run called from Python, in order.

    Kernels of one name stand in the same order in both, also where streams run side by side.
    None when a replay does not run the same kernels."""
    groups: dict[int, list[Kernel]] = defaultdict(list)
    for kernel in replayed:
        groups[kernel.group].append(kernel)
    names = Counter(_kind(k.name) for k in pattern)
    found: list[Kernel] = []
    for run, group in enumerate(groups.values()):
        if Counter(_kind(k.name) for k in group) != names:
            return None
        waiting: dict[str, deque[int | None]] = defaultdict(deque)
        for kernel in sorted(pattern, key=lambda k: k.start):
            waiting[_kind(kernel.name)].append(kernel.operation)
        for kernel in sorted(group, key=lambda k: k.start):
            operation = waiting[_kind(kernel.name)].popleft()
            found.append(replace(kernel, run=run, operation=operation))
    return found


def in_place(kernels: Sequence[Kernel], operations: int, *, replayed: bool) -> InPlace:
    """Times of `operations` operations and the account of the device, medians over the runs.

    Kernels of no run are left out. Without any kernel all times are zero."""
    by_run: dict[int, list[Kernel]] = defaultdict(list)
    for kernel in kernels:
        if kernel.run is not None:
            by_run[kernel.run].append(kernel)
    runs = list(by_run.values()) or [[]]
    of_operation = [_by_operation(run) for run in runs]
    return InPlace(
        tuple(median(run.get(i, 0) for run in of_operation) * NANO for i in range(operations)),
        median(_beside_operations(run) for run in runs) * NANO,
        Account(
            span=median(_span(run) for run in runs) * NANO,
            busy=median(_busy(run) for run in runs) * NANO,
            kernel_seconds=median(sum(k.end - k.start for k in run) for run in runs) * NANO,
            kernels=round(median(len(run) for run in runs)),
            replayed=replayed,
        ),
    )


def _by_operation(run: Sequence[Kernel]) -> dict[int, int]:
    intervals: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for kernel in run:
        if kernel.operation is not None:
            intervals[kernel.operation].append((kernel.start, kernel.end))
    return {operation: union(found) for operation, found in intervals.items()}


def _busy(run: Sequence[Kernel]) -> int:
    return union((k.start, k.end) for k in run)


def _beside_operations(run: Sequence[Kernel]) -> int:
    """Nanoseconds in which only kernels of no operation ran."""
    return _busy(run) - _busy([k for k in run if k.operation is not None])


def _span(run: Sequence[Kernel]) -> int:
    return max((k.end for k in run), default=0) - min((k.start for k in run), default=0)
