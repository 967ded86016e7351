"""What is run, in which order, and what is kept of it.

The whole model without the host's work where that can be had, its operations in place, its modules
alone with warm and cold buffers, what the device can do at most: all in one run, with the
conditions beside it. Totals are of CUDA graph replays, as Triton's `do_bench_cudagraph` takes them;
kernels come from CUPTI by torch.profiler; medians have bootstrap intervals (Efron 1979).
"""

from __future__ import annotations

import contextlib
import datetime
import math
import random
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from ..trace import Measured, ModuleTime, OpTime, Timing, Trace, TraceError
from ..trace.facts import Conditions, Sample
from ..trace.tracer import trace as record
from .ceilings import PRODUCTS, ceilings, precision
from .device import DTYPES, Device, MeasureError, find_device
from .modules import leaf_calls, time_alone
from .prepare import prepare
from .progress import Progress, Reporter
from .replay import CaptureError, Replay
from .stats import OpPlace, align, timing
from .watch import Watch, bytes_of, tensors_of

_LONG = 1.0  # seconds; a model that takes longer is measured in fewer blocks
_FEWEST_BLOCKS = 5


def measure(
    model: nn.Module,
    inputs: Any = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    device: str = "auto",
    dtype: str = "fp32",
    channels_last: bool = False,
    compile: bool = False,
    blocks: int = 20,
    isolate: bool = True,
    spec: str | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Trace:
    """Trace `model` and measure it: inference, in evaluation mode, on a copy of the model.

    Args:
        inputs, kwargs: as `costlab.trace` takes them; real values (zeros take less power, so
            clocks are higher).
        device: "cuda", "cpu" or "auto".
        dtype: a name of `DTYPES`; tf32 is float32 with TF32 products.
        channels_last: 4-d tensors as NHWC.
        compile: time `torch.compile(model)` too.
        blocks: of repeated calls of the whole model; fewer when it is slow.
        isolate: time single modules too.
        progress: called with a `Progress` at every step.

    Returns a Trace whose `measured` is filled. Raises MeasureError for a device or dtype that is
    not to be had, and for a model that does not fit; TraceError when the model fails."""
    place, report = _device(device, dtype), Reporter(progress)
    with _refusals_as_errors(place, report):
        ready, args, kw = prepare(
            model, inputs, kwargs, device=place, dtype=dtype, channels_last=channels_last
        )
        report("a trace of the model")
        trace = record(ready, args, kw, device=place.kind, spec=spec)
        run = _Run(place, _Call(ready, args, kw), report)
        with precision(dtype), torch.inference_mode():
            layout = "channels-last" if channels_last else "contiguous"
            measured = run.measured(trace, dtype, layout, blocks=blocks, isolate=isolate)
            if compile:
                measured = run.with_compiled(measured, blocks)
    return replace(trace, measured=measured)


def paired(
    first: nn.Module,
    second: nn.Module,
    inputs: Any = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    device: str = "auto",
    dtype: str = "fp32",
    channels_last: bool = False,
    blocks: int = 20,
) -> Timing:
    """How many times as long `second` takes as `first`: a Timing whose numbers are ratios.

    Both run in turns, so that what drifts (clocks, temperature, other work) is in both. Arguments
    and errors as of `measure`."""
    place, draw = _device(device, dtype), random.Random(0)
    with _refusals_as_errors(place), precision(dtype), torch.inference_mode():
        runs: list[Callable[[], Any]] = []
        for model in (first, second):
            ready, args, kw = prepare(
                model, inputs, kwargs, device=place, dtype=dtype, channels_last=channels_last
            )
            call = _Call(ready, args, kw)
            _warm_up(place, call)
            runs.append(_captured(place, call)[0] or call)
        repeats = [_repeats(place, run) for run in runs]
        ratios: list[float] = []
        for _ in range(blocks):
            took = {i: place.seconds(runs[i], repeats[i]) for i in draw.sample((0, 1), 2)}
            ratios.append(took[1] / took[0])
        return timing(ratios)


@dataclass(frozen=True)
class _Call:
    """A model and what it is called with."""

    model: nn.Module
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def __call__(self) -> Any:
        return self.model(*self.args, **self.kwargs)


def _device(name: str, dtype: str) -> Device:
    if dtype not in DTYPES:
        raise MeasureError(f"unknown dtype {dtype!r}; choose {', '.join(DTYPES)}")
    device = find_device(name)
    if dtype == "tf32" and device.kind != "cuda":
        raise MeasureError("tf32 products are for CUDA devices; choose fp32, bf16 or fp16")
    return device


@contextlib.contextmanager
def _refusals_as_errors(device: Device, report: Reporter | None = None) -> Generator[None]:
    """What torch refuses is a MeasureError of one line; the random state is put back."""
    state = torch.get_rng_state()
    try:
        yield
    except (RuntimeError, NotImplementedError) as e:
        if _ran_out_of_memory(e):
            raise MeasureError(_does_not_fit(device, report.stage if report else "")) from None
        if isinstance(e, TraceError):
            raise
        text = (str(e).strip().splitlines() or [""])[0]
        raise MeasureError(f"measuring failed: {type(e).__name__}: {text}") from e
    finally:
        torch.set_rng_state(state)


def _ran_out_of_memory(error: BaseException | None) -> bool:
    """Whether an error is, or comes from, memory that was not to be had."""
    while error:
        if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _does_not_fit(device: Device, stage: str) -> str:
    where = f" while measuring {stage}" if stage else ""
    return (
        f"the model does not fit: {device.describe()['device']} ran out of memory{where}; try a "
        "smaller batch or dtype, or another device"
    )


def _warm_up(device: Device, call: Callable[[], Any]) -> None:
    for _ in range(device.warmups):
        call()


def _captured(device: Device, call: Callable[[], Any]) -> tuple[Replay | None, str]:
    """The call without the host's work, or why it cannot be had."""
    try:
        return device.capture(call), ""
    except CaptureError as e:
        return None, str(e)


def _repeats(device: Device, fn: Callable[[], Any]) -> int:
    """Calls in a block, so that it lasts long enough."""
    once = min(device.seconds(fn, 1) for _ in range(2))
    return max(device.fewest_calls, math.ceil(device.block_seconds / max(once, 1e-7)))


@dataclass(frozen=True)
class _Blocks:
    """Seconds a call in each block that was kept, how many were not, and the device's `samples`
    during the first and the last. `steady`: whether any block was; if none was, all are kept."""

    seconds: list[float]
    dropped: int
    steady: bool
    first: Sample
    last: Sample


def _blocks(device: Device, fn: Callable[[], Any], blocks: int) -> _Blocks:
    """Time blocks of calls; one during which the clock moved is not kept. The clock is read while
    the device works: an idle one slows down."""
    repeats = _repeats(device, fn)
    samples: list[Sample] = []
    seconds: list[float] = []
    device.seconds(fn, repeats, lambda: samples.append(device.sample()))
    for _ in range(blocks):
        seconds.append(device.seconds(fn, repeats, lambda: samples.append(device.sample())))
    kept = [
        took
        for took, (before, after) in zip(seconds, pairwise(samples), strict=True)
        if device.steady(before, after)
    ]
    return _Blocks(
        seconds=kept or seconds,
        dropped=len(seconds) - len(kept),
        steady=bool(kept),
        first=samples[0],
        last=samples[-1],
    )


@dataclass(frozen=True)
class _Run:
    """One model on one device; the stages of measuring it."""

    device: Device
    call: _Call
    report: Reporter

    def measured(
        self, trace: Trace, dtype: str, layout: str, *, blocks: int, isolate: bool
    ) -> Measured:
        """All stages in order."""
        self.report("warm-up calls")
        _warm_up(self.device, self.call)
        self.report("the device's ceilings")
        tops = ceilings(self.device, dtype)
        self.report("the whole model")
        blocks = self._as_many(blocks)
        eager = _blocks(self.device, self.call, blocks)
        replay, refusal = _captured(self.device, self.call)
        whole = _blocks(self.device, replay, blocks) if replay else eager
        self.report("its operations in place")
        operations, in_place = self.device.in_place(self.call.model, self.call, replay)
        del replay  # its memory is not the model's
        times, peak = self._operation_times(trace, operations, in_place.operations)
        modules, refusal_alone = self._alone(operations) if isolate else ((), "")
        conditions = self._conditions(dtype, layout, whole, refusal)
        if refusal_alone:
            conditions["modules alone"] = refusal_alone
        return Measured(
            total=timing(whole.seconds),
            eager=timing(eager.seconds),
            ops=times,
            modules=modules,
            other=in_place.other,
            peak=peak,
            ceilings=tops,
            conditions=conditions,
            account=in_place.account,
        )

    def with_compiled(self, measured: Measured, blocks: int) -> Measured:
        """With the time of `torch.compile(model)`; a model that does not compile is a result."""
        try:
            whole_torch: Any = torch  # the types of torch.compile are partial
            call = replace(self.call, model=whole_torch.compile(self.call.model))
            _warm_up(self.device, call)
            samples = _blocks(self.device, call, self._as_many(blocks)).seconds
            return replace(measured, compiled=timing(samples))
        except Exception as e:  # the compiler raises errors of many kinds
            text = (str(e).strip().splitlines() or [""])[0]
            conditions: Conditions = {
                **measured.conditions,
                "compile": f"failed: {type(e).__name__}: {text}",
            }
            return replace(measured, conditions=conditions)

    def _as_many(self, blocks: int) -> int:
        """So many blocks, or fewer of a slow model."""
        once = max(self.device.seconds(self.call, 1), 1e-9)
        return min(blocks, max(_FEWEST_BLOCKS, round(20 * _LONG / once)))

    def _conditions(self, dtype: str, layout: str, whole: _Blocks, refusal: str) -> Conditions:
        """What a reader must know of how the whole model was timed."""
        date = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        return {
            **self.device.describe(),
            "dtype": dtype,
            "layout": layout,
            "torch": torch.__version__,
            "cudnn.benchmark": torch.backends.cudnn.benchmark,
            "tf32": bool(torch.backends.cuda.matmul.allow_tf32),
            "product": PRODUCTS[dtype],
            "date": date,
            "cache": self.device.cache_bytes(),
            "method": self.device.method
            if self.device.kind == "cpu" or not refusal
            else f"calls from Python (no CUDA graph: {refusal})",
            "blocks thrown away": whole.dropped if whole.steady else None,
            "clocks before": whole.first,
            "clocks after": whole.last,
            "notes": list(self.device.notes),
        }

    def _operation_times(
        self, trace: Trace, operations: list[OpPlace], seconds: tuple[float, ...]
    ) -> tuple[tuple[OpTime, ...], int]:
        """Each operation's time, traffic and memory, and the most bytes of all."""
        places = align(operations, [(o.name, o.module, o.call) for o in trace.ops])
        live, peak = self.device.memory(self.call.model, self.call)
        with Watch(self.call.model, sizes=True).watching() as watch:
            self.call()
        times = tuple(
            OpTime(name, places[i], seconds[i], watch.bytes[i], *live.get(i, (None, None)))
            for i, (name, _, _) in enumerate(operations)
        )
        return times, peak

    def _alone(self, operations: list[OpPlace]) -> tuple[tuple[ModuleTime, ...], str]:
        """Times of the modules alone, or why there are none."""
        calls = leaf_calls(self.call.model, self.call)
        needed = bytes_of(t for c in calls for t in tensors_of((c.args, c.kwargs)))
        if needed >= self.device.free_bytes() / 2:
            return (), "left out: their inputs do not fit beside one another"
        counts = Counter((module, call) for _, module, call in operations)
        stage = "its modules alone"
        return tuple(
            time_alone(self.device, calls, counts, lambda i, n: self.report(stage, i, n))
        ), ""
