"""A CUDA device: graphs for whole models and single modules, the profiler (CUPTI) for kernels in
place, the caching allocator for memory, NVML for clocks."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import nn

from ..trace.facts import Machine, Sample
from .kernels import InPlace, Kernel, assign, in_place, match_replays, run_stamp, stamp
from .nvml import Sensors
from .profiling import profiler_events, read_events
from .replay import CaptureError, Replay, record
from .stats import OpPlace
from .watch import Watch, same_operations

DRIFT = 0.02  # a block during which the SM clock moved by a larger share is not kept
PROFILED_RUNS = 7
PROFILED_REPLAYS = 20  # at least
PROFILED_SECONDS = 0.05  # that profiled replays last at least, so that the clocks settle


class _Properties(Protocol):
    """What CUDA says of a device; `total_memory` in bytes."""

    name: str
    total_memory: int
    major: int
    minor: int
    multi_processor_count: int


class _MemoryStep:
    """Around an operation: what the allocator holds after it, and at most during it."""

    def __init__(self, found: dict[int, tuple[int, int]], operation: int, base: int):
        self.found, self.operation, self.base = found, operation, base

    def __enter__(self):
        torch.cuda.reset_peak_memory_stats()

    def __exit__(self, *_):
        self.found[self.operation] = (
            torch.cuda.memory_allocated() - self.base,
            torch.cuda.max_memory_allocated() - self.base,
        )


class Cuda:
    """The current CUDA device. Its clocks are recorded and never set."""

    kind = "cuda"
    method = "CUDA graph replay"
    warmups, fewest_calls, block_seconds = 5, 3, 0.02
    module_block_seconds = 0.001

    def __init__(self):
        cuda: Any = torch.cuda  # the class of its properties is in C++
        self.properties: _Properties = cuda.get_device_properties(cuda.current_device())
        self.sensors = Sensors(getattr(self.properties, "uuid", None))
        self.notes = [self.sensors.missing] if self.sensors.missing else []

    def describe(self) -> Machine:
        """What ran."""
        p = self.properties
        return {
            "device": p.name,
            "memory": p.total_memory,
            "capability": f"{p.major}.{p.minor}",
            "multiprocessors": p.multi_processor_count,
            "cuda": torch.version.cuda,
            "cudnn": torch.backends.cudnn.version(),
            "driver": self.sensors.driver(),
        }

    def sample(self) -> Sample:
        """Clocks in MHz, power in W, temperature in C, NVML's bits of reasons for throttling."""
        return self.sensors.sample()

    def joules(self) -> float | None:
        """The energy used so far, by NVML's counter."""
        return self.sensors.joules()

    def steady(self, before: Sample, after: Sample) -> bool:
        """Whether the SM clock stood still between two samples."""
        a, b = before.get("sm_mhz"), after.get("sm_mhz")
        return a is None or b is None or abs(a - b) <= DRIFT * max(a, b)

    def cache_bytes(self) -> int:
        """The L2's size."""
        return getattr(self.properties, "L2_cache_size", 50 << 20)

    def free_bytes(self) -> int:
        """Device memory to be had, what the caching allocator holds for nobody included."""
        unused = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
        return torch.cuda.mem_get_info()[0] + unused

    def seconds(
        self, fn: Callable[[], Any], calls: int, meanwhile: Callable[[], Any] | None = None
    ) -> float:
        """Seconds a call between two events; `meanwhile` runs before the device is waited for."""
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        torch.cuda.synchronize()
        start.record()
        for _ in range(calls):
            fn()
        end.record()
        if meanwhile:
            meanwhile()
        end.synchronize()
        return start.elapsed_time(end) * 1e-3 / calls

    def capture(self, fn: Callable[[], Any]) -> Replay:
        """`fn` as a CUDA graph.

        Not by `torch.cuda.graph`, which empties the allocator's cache each time: that is slow,
        and unmaps memory. Raises CaptureError when the model synchronizes, or its shapes depend
        on values."""
        outer, side = torch.cuda.current_stream(), torch.cuda.Stream()
        side.wait_stream(outer)
        try:
            with torch.cuda.stream(side), warnings.catch_warnings():
                # of a module that runs nothing (dropout, flatten)
                warnings.filterwarnings("ignore", "The CUDA Graph is empty")
                fn()  # what a stream needs of its own (cuBLAS: a workspace) is made before
                torch.cuda.synchronize()
                replay = record(torch.cuda.CUDAGraph(), fn)
            outer.wait_stream(side)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as e:
            torch.cuda.set_stream(outer)  # a failed capture leaves its stream behind
            torch.cuda.synchronize()
            raise CaptureError(str(e).strip().splitlines()[0]) from e
        return replay

    def issue_seconds(self, fn: Callable[[], Any], operations: int) -> float:
        """Seconds that the host takes to issue `fn`, the device not waited for."""
        torch.cuda.synchronize()
        begin = time.perf_counter()
        for _ in range(5):
            fn()
        issued = (time.perf_counter() - begin) / 5
        torch.cuda.synchronize()
        return issued

    def in_place(
        self, model: nn.Module, call: Callable[[], Any], replay: Replay | None
    ) -> tuple[list[tuple[str, str, int]], InPlace]:
        """The operations and their times: in the replayed graph where its kernels are those of a
        call from Python, otherwise in calls from Python."""
        operations, called = _profile_calls(model, call)
        if replay:
            pattern = [k for k in called if k.run == PROFILED_RUNS - 1]
            once = max(self.seconds(replay, 3), 1e-5)
            replays = max(PROFILED_REPLAYS, math.ceil(PROFILED_SECONDS / once))
            replayed = match_replays(pattern, _profile_replays(replay, replays))
            if replayed is not None:
                return operations, in_place(replayed, len(operations), replayed=True)
            self.notes.append(
                "the replayed graph runs other kernels than a call from Python; operations were "
                "timed in calls from Python"
            )
        return operations, in_place(called, len(operations), replayed=False)

    def memory(
        self, model: nn.Module, call: Callable[[], Any]
    ) -> tuple[dict[int, tuple[int, int]], int]:
        """By operation (bytes after it, most bytes during it), and the most bytes of all."""
        torch.cuda.synchronize()
        found: dict[int, tuple[int, int]] = {}
        base = torch.cuda.memory_allocated()
        with Watch(model, lambda i: _MemoryStep(found, i, base)).watching():
            call()
        torch.cuda.synchronize()
        return found, max((peak for _, peak in found.values()), default=0)


def _profile_calls(
    model: nn.Module, call: Callable[[], Any]
) -> tuple[list[tuple[str, str, int]], list[Kernel]]:
    """The operations of a call, and the kernels of several calls with their operations."""
    from torch.profiler import ProfilerActivity, profile, record_function

    operations: list[OpPlace] | None = None
    torch.cuda.synchronize()
    with profile(
        activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA], acc_events=True
    ) as profiler:
        for run in range(PROFILED_RUNS):
            watch = Watch(model, lambda i, run=run: record_function(stamp(run, i)))
            with watch.watching(), record_function(run_stamp(run)):
                call()
            torch.cuda.synchronize()
            operations = same_operations(operations, watch.ops)
    return operations or [], assign(*read_events(profiler_events(profiler)))


def _profile_replays(replay: Replay, replays: int) -> list[Kernel]:
    """The kernels of several replays of a graph; those of one replay share their `group`."""
    from torch.profiler import ProfilerActivity, profile

    torch.cuda.synchronize()
    with profile(activities=[ProfilerActivity.CUDA], acc_events=True) as profiler:
        for _ in range(replays):
            replay()
        torch.cuda.synchronize()
    return read_events(profiler_events(profiler))[1]
