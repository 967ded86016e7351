"""The CPU: calls timed by the host's clock, operations by the clock around each, memory by the allocator's events."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path

import torch

from ._watch import Watch

_CLOCK = time.perf_counter


class _Clocked:
    """Around an operation: its seconds."""

    def __init__(self, seconds):
        self.seconds = seconds

    def __enter__(self):
        self.begin = _CLOCK()

    def __exit__(self, *_):
        self.seconds.append(_CLOCK() - self.begin)


def _name():
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def running(events):
    """From ("start" or "end", operation) and ("memory", bytes) in time order: (bytes after, most bytes during) of each operation, and the most
    bytes of all; bytes are counted from the first event on."""
    live = most = 0
    open_, found = [], {}
    for kind, value in events:
        if kind == "memory":
            live += value
            most = max(most, live)
            for i in open_:
                found[i][1] = max(found[i][1], live)
        elif kind == "start":
            open_.append(value)
            found[value] = [live, live]
        else:
            open_.remove(value)
            found[value][0] = live
    return {i: tuple(v) for i, v in found.items()}, most


class Cpu:
    """One process's CPU threads."""

    kind = "cpu"
    method = "calls from Python"
    warmups, calls = 3, 1

    def __init__(self):
        self.issue: float | None = None

    def describe(self) -> dict:
        """What ran."""
        return {"device": _name(), "threads": torch.get_num_threads(), "cores": os.cpu_count()}

    def clocks(self, fn=None) -> dict:
        """What the machine does: its load."""
        return {"load": round(os.getloadavg()[0], 2)} if hasattr(os, "getloadavg") else {}

    def steady(self, before, after) -> bool:
        """Whether a block may be kept."""
        return True

    def cache(self) -> int:
        """Bytes of the last cache."""
        sizes = []
        for file in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"):
            text = file.read_text().strip()
            sizes.append(int(text[:-1]) * {"K": 1 << 10, "M": 1 << 20}[text[-1]])
        return max(sizes, default=32 << 20)

    def free(self) -> int:
        """Bytes of memory to be had."""
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")

    def seconds(self, fn, n: int) -> float:
        """Seconds a call over n calls."""
        begin = _CLOCK()
        for _ in range(n):
            fn()
        return (_CLOCK() - begin) / n

    def replay(self, fn, shared=False):
        """(a callable that runs fn's kernels without the host, or None; why not)."""
        return None, "a CPU has no graphs to replay"

    def host(self, fn, operations: int) -> float:
        """Seconds that the host takes to issue a module of so many operations: as long as operations on one element take."""
        if self.issue is None:
            one = torch.zeros(1)
            self.issue = min(self.seconds(lambda: torch.relu(one), 1000) for _ in range(5))
        return self.issue * operations

    def in_place(self, model, call, runs: int):
        """(operations, seconds of each by run, seconds of other kernels by run)."""
        ops, found = None, []
        for _ in range(runs):
            seconds = []
            with Watch(model, lambda i, s=seconds: _Clocked(s)).watching() as watch:
                call()
            if ops is not None and watch.ops != ops:
                raise RuntimeError(
                    "the model does not run the same operations each time, so their times cannot be put together"
                )
            ops = watch.ops
            found.append(seconds)
        return ops, found, [0.0] * runs

    def memory(self, model, call):
        """({operation: (bytes after, most bytes during)}, most bytes), counted from before the call; None where the profiler gives none."""
        from torch.profiler import ProfilerActivity, profile, record_function

        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as p:
            with Watch(model, lambda i: record_function(f"costlab#{i}")).watching():
                call()
        events = []
        for e in p.profiler.kineto_results.events():
            if e.name() == "[memory]":
                events.append((e.start_ns(), 1, "memory", e.nbytes()))
            elif e.name().startswith("costlab#"):
                i = int(e.name().split("#")[1])
                events += [
                    (e.start_ns(), 0, "start", i),
                    (e.start_ns() + e.duration_ns(), 2, "end", i),
                ]
        return running([(kind, value) for _, _, kind, value in sorted(events)])
