"""A CUDA device: CUDA graphs for whole models and single modules, the profiler (CUPTI) for kernels in place, the caching allocator for memory."""

from __future__ import annotations

import subprocess
import time

import torch

from ._watch import Watch

_PATIENCE = 10  # seconds that nvidia-smi may take
_DRIFT = 0.02  # a block during which the SM clock moved by more is not kept
_QUERY = (
    "clocks.sm",
    "clocks.mem",
    "power.draw",
    "temperature.gpu",
    "clocks_throttle_reasons.active",
)


def attribute(events, runs: int, count: int):
    """Seconds of each operation by run, and of kernels that belong to none by run, from profiler events: `name`, whether `on_device`, and
    `device_us`, the microseconds of kernels launched inside (for a kernel its own). Stamps are named costlab#RUN#OPERATION, the runs
    costlab-run#RUN."""
    seconds = [[0.0] * count for _ in range(runs)]
    whole = [0.0] * runs
    for e in events:
        if e.on_device:
            continue
        if e.name.startswith("costlab#"):
            run, i = map(int, e.name.split("#")[1:])
            seconds[run][i] += e.device_us * 1e-6
        elif e.name.startswith("costlab-run#"):
            whole[int(e.name.split("#")[1])] += e.device_us * 1e-6
    return seconds, [max(0.0, w - sum(s)) for w, s in zip(whole, seconds)]


def kernel_us(event) -> float:
    """Microseconds of the kernels that an event and those inside it launched; not of the echoes that stamps, and a model's own annotations,
    have on the device under their own name."""
    own = sum(
        k.duration
        for k in event.kernels
        if not k.name.startswith("costlab") and k.name != event.name
    )
    return own + sum(map(kernel_us, event.cpu_children))


class _Event:
    def __init__(self, event):
        self.name = event.name
        self.on_device = event.device_type != torch.autograd.DeviceType.CPU
        self.device_us = 0.0 if self.on_device else kernel_us(event)


class _Stepped:
    """Around an operation: what the allocator holds after it, and at most during it."""

    def __init__(self, found, i, base):
        self.found, self.i, self.base = found, i, base

    def __enter__(self):
        torch.cuda.reset_peak_memory_stats()

    def __exit__(self, *_):
        self.found[self.i] = (
            torch.cuda.memory_allocated() - self.base,
            torch.cuda.max_memory_allocated() - self.base,
        )


class Cuda:
    """The current CUDA device. Its clocks are recorded and never set."""

    kind = "cuda"
    method = "CUDA graph replay"
    warmups, calls = 10, 30

    def __init__(self):
        self.pool = None  # of the graphs of single modules, whose results nobody reads

    def describe(self) -> dict:
        """What ran."""
        p = torch.cuda.get_device_properties(torch.cuda.current_device())
        return {
            "device": p.name,
            "memory": p.total_memory,
            "capability": f"{p.major}.{p.minor}",
            "multiprocessors": p.multi_processor_count,
            "cuda": torch.version.cuda,
            "cudnn": torch.backends.cudnn.version(),
        }

    def clocks(self, fn=None) -> dict:
        """Clocks in MHz, power in W, temperature in C, reasons for throttling, sampled while `fn` runs again and again, because an idle device
        slows down; empty where nvidia-smi is not at hand."""
        try:
            card = getattr(
                torch.cuda.get_device_properties(torch.cuda.current_device()), "uuid", None
            )  # indices are CUDA's, not nvidia-smi's
            which = f"GPU-{card}" if card else str(torch.cuda.current_device())
            with subprocess.Popen(
                [
                    "nvidia-smi",
                    f"--query-gpu={','.join(_QUERY)}",
                    "--format=csv,noheader,nounits",
                    f"--id={which}",
                ],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            ) as asked:
                said = self._busy_until(asked, fn)
            return dict(
                zip(
                    ("sm_mhz", "memory_mhz", "watts", "celsius", "throttle"),
                    (v.strip() for v in said.strip().splitlines()[0].split(",")),
                )
            )
        except (OSError, subprocess.SubprocessError, IndexError):
            return {}
        finally:
            torch.cuda.synchronize()

    def _busy_until(self, asked, fn) -> str:
        """What a process says, while `fn` keeps the device at work until it ends."""
        begin = time.perf_counter()
        while fn and asked.poll() is None and time.perf_counter() - begin < _PATIENCE:
            for _ in range(self.calls):
                fn()
            torch.cuda.synchronize()  # no further ahead than a few calls
        try:
            return asked.communicate(timeout=_PATIENCE)[0]
        except subprocess.TimeoutExpired:
            asked.kill()
            raise

    def steady(self, before, after) -> bool:
        """Whether the SM clock stood still between two samples."""
        try:
            a, b = float(before["sm_mhz"]), float(after["sm_mhz"])
        except (KeyError, ValueError):
            return True
        return abs(a - b) <= _DRIFT * max(a, b)

    def cache(self) -> int:
        """Bytes of the L2."""
        return getattr(
            torch.cuda.get_device_properties(torch.cuda.current_device()), "L2_cache_size", 50 << 20
        )

    def free(self) -> int:
        """Bytes of device memory to be had."""
        return torch.cuda.mem_get_info()[0]

    def seconds(self, fn, n: int) -> float:
        """Seconds a call over n calls between two events."""
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        torch.cuda.synchronize()
        start.record()
        for _ in range(n):
            fn()
        end.record()
        torch.cuda.synchronize()
        return start.elapsed_time(end) * 1e-3 / n

    def replay(self, fn, shared=False):
        """(a callable that replays fn's kernels as a CUDA graph, or None; why not). `shared`: in memory that other graphs use too."""
        stream = torch.cuda.current_stream()
        try:
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(3):
                    fn()
            torch.cuda.current_stream().wait_stream(side)
            graph = torch.cuda.CUDAGraph()
            if shared and self.pool is None:
                self.pool = torch.cuda.graph_pool_handle()
            with torch.cuda.graph(graph, pool=self.pool if shared else None):
                out = fn()
        except RuntimeError as e:  # the model synchronizes, or its shapes depend on values; a failed capture leaves its stream behind
            torch.cuda.set_stream(stream)
            torch.cuda.synchronize()
            return None, str(e).strip().splitlines()[0]
        return lambda keep=out: graph.replay(), ""

    def host(self, fn, operations: int) -> float:
        """Seconds that the host takes to issue a module, the device not waited for."""
        torch.cuda.synchronize()
        begin = time.perf_counter()
        for _ in range(5):
            fn()
        issued = (time.perf_counter() - begin) / 5
        torch.cuda.synchronize()
        return issued

    def in_place(self, model, call, runs: int):
        """(operations, seconds of each by run, seconds of other kernels by run)."""
        from torch.profiler import ProfilerActivity, profile, record_function

        ops = None
        torch.cuda.synchronize()
        with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as p:
            for r in range(runs):
                with (
                    Watch(
                        model, lambda i, r=r: record_function(f"costlab#{r}#{i}")
                    ).watching() as watch,
                    record_function(f"costlab-run#{r}"),
                ):
                    call()
                torch.cuda.synchronize()
                if ops is not None and watch.ops != ops:
                    raise RuntimeError(
                        "the model does not run the same operations each time, so their times cannot be put together"
                    )
                ops = watch.ops
        return ops, *attribute(map(_Event, p.events()), runs, len(ops))

    def memory(self, model, call):
        """({operation: (bytes after, most bytes during)}, most bytes), counted from before the call."""
        torch.cuda.synchronize()
        found, base = {}, torch.cuda.memory_allocated()
        with Watch(model, lambda i: _Stepped(found, i, base)).watching():
            call()
        torch.cuda.synchronize()
        return found, max((peak for _, peak in found.values()), default=0)
