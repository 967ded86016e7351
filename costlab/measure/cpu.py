"""The CPU: calls timed by the host's clock, operations by the clock around each, memory by the
allocator's events."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import nn

from ..trace import Account
from ..trace.facts import Machine, Sample
from .kernels import InPlace
from .profiling import profiler_events
from .replay import CaptureError, Replay
from .stats import OpPlace
from .watch import Watch, same_operations

TIMED_RUNS = 7
_CLOCK = time.perf_counter
_UNITS = {"K": 1 << 10, "M": 1 << 20}


class _Clocked:
    """Around an operation: its seconds."""

    def __init__(self, seconds: list[float]):
        self.seconds = seconds

    def __enter__(self):
        self.begin = _CLOCK()

    def __exit__(self, *_):
        self.seconds.append(_CLOCK() - self.begin)


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def memory_by_operation(
    events: Iterable[tuple[str, int]],
) -> tuple[dict[int, tuple[int, int]], int]:
    """From ("start" or "end", operation) and ("memory", bytes) in time order: of each operation
    (bytes after it, most bytes during it), and the most bytes of all, counted from the first
    event on."""
    live = most = 0
    running: list[int] = []
    after: dict[int, int] = {}
    during: dict[int, int] = {}
    for kind, value in events:
        if kind == "memory":
            live += value
            most = max(most, live)
            for i in running:
                during[i] = max(during[i], live)
        elif kind == "start":
            running.append(value)
            after[value] = during[value] = live
        else:
            running.remove(value)
            after[value] = live
    return {i: (after[i], during[i]) for i in after}, most


class Cpu:
    """One process's CPU threads."""

    kind = "cpu"
    method = "calls from Python"
    warmups, fewest_calls, block_seconds = 3, 1, 0.01
    module_block_seconds = 0.01

    def __init__(self):
        self.notes: list[str] = []
        self._an_operation: float | None = None  # seconds that one takes to be issued

    def describe(self) -> Machine:
        """What ran."""
        return {
            "device": _processor(),
            "threads": torch.get_num_threads(),
            "cores": os.cpu_count(),
        }

    def sample(self) -> Sample:
        """The machine's load."""
        return {"load": round(os.getloadavg()[0], 2)} if hasattr(os, "getloadavg") else {}

    def joules(self) -> float | None:
        """Not known: what counts energy is for the administrator to read."""
        return None

    def steady(self, before: Sample, after: Sample) -> bool:
        """Whether a block may be kept: clocks are not asked for, so always."""
        return True

    def cache_bytes(self) -> int:
        """The size of the last cache."""
        sizes: list[int] = []
        for file in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"):
            text = file.read_text().strip()
            sizes.append(int(text[:-1]) * _UNITS[text[-1]])
        return max(sizes, default=32 << 20)

    def free_bytes(self) -> int:
        """Memory to be had."""
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")

    def seconds(
        self, fn: Callable[[], Any], calls: int, meanwhile: Callable[[], Any] | None = None
    ) -> float:
        """Seconds a call; the CPU does nothing meanwhile, so `meanwhile` runs afterwards."""
        begin = _CLOCK()
        for _ in range(calls):
            fn()
        took = (_CLOCK() - begin) / calls
        if meanwhile:
            meanwhile()
        return took

    def capture(self, fn: Callable[[], Any]) -> Replay:
        """Raises CaptureError: a CPU has no graphs to replay."""
        raise CaptureError("a CPU has no graphs to replay")

    def issue_seconds(self, fn: Callable[[], Any], operations: int) -> float:
        """Seconds to issue so many operations: as long as they take on one element."""
        if self._an_operation is None:
            one = torch.zeros(1)
            self._an_operation = min(self.seconds(lambda: torch.relu(one), 1000) for _ in range(5))
        return self._an_operation * operations

    def in_place(
        self, model: nn.Module, call: Callable[[], Any], replay: Replay | None
    ) -> tuple[list[tuple[str, str, int]], InPlace]:
        """The operations of one call and their times; what is idle is the host's own work."""
        operations: list[OpPlace] | None = None
        runs: list[list[float]] = []
        spans: list[float] = []
        for _ in range(TIMED_RUNS):
            seconds: list[float] = []
            with Watch(model, lambda i, s=seconds: _Clocked(s)).watching() as watch:
                begin = _CLOCK()
                call()
                spans.append(_CLOCK() - begin)
            operations = same_operations(operations, watch.ops)
            runs.append(seconds)
        busy = median(map(sum, runs))
        account = Account(
            span=max(busy, median(spans)),
            busy=busy,
            kernel_seconds=busy,
            kernels=len(operations or ()),
            replayed=False,
        )
        return operations or [], InPlace(tuple(map(median, zip(*runs, strict=True))), 0.0, account)

    def memory(
        self, model: nn.Module, call: Callable[[], Any]
    ) -> tuple[dict[int, tuple[int, int]], int]:
        """By operation (bytes after it, most bytes during it), and the most bytes of all."""
        from torch.profiler import ProfilerActivity, profile, record_function

        with (
            profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler,
            Watch(model, lambda i: record_function(f"costlab#{i}")).watching(),
        ):
            call()
        events: list[tuple[int, int, str, int]] = []
        for e in profiler_events(profiler):
            start, end = e.start_ns(), e.start_ns() + e.duration_ns()
            if e.name() == "[memory]":
                events.append((start, 1, "memory", e.nbytes()))
            elif e.name().startswith("costlab#"):
                operation = int(e.name().split("#")[1])
                events += [(start, 0, "start", operation), (end, 2, "end", operation)]
        return memory_by_operation((kind, value) for _, _, kind, value in sorted(events))
