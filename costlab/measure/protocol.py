"""What is run, in which order, and what is kept of it.

The whole model without the host's work where that can be had, its operations in place, its modules
alone with warm and cold buffers, what the device can do at most: all in one run, with the
conditions beside it. Totals are of CUDA graph replays, as Triton's `do_bench_cudagraph` takes them;
kernels come from CUPTI by torch.profiler; medians have bootstrap intervals (Efron 1979).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from ..trace import Timing, Trace
from ..trace.tracer import trace as record
from .blocks import Call, captured, repeats_of, warm_up
from .ceilings import precision
from .device import DTYPES, Device, MeasureError, find_device
from .prepare import prepare
from .progress import Progress, Reporter
from .refusals import refusals_as_errors
from .stages import Stages
from .stats import timing


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
        blocks: number of blocks of repeated calls of the whole model; fewer if it is slow.
        isolate: time single modules too.
        progress: called with a `Progress` at every step.

    Returns a Trace whose `measured` is filled. Raises MeasureError for a device or dtype that is
    not available, and for a model that does not fit; TraceError when the model fails."""
    place, report = _device(device, dtype), Reporter(progress)
    with refusals_as_errors(place, report):
        ready, args, kw = prepare(
            model, inputs, kwargs, device=place, dtype=dtype, channels_last=channels_last
        )
        report("a trace of the model")
        trace = record(ready, args, kw, device=place.kind, spec=spec)
        stages = Stages(place, Call(ready, args, kw), report)
        with precision(dtype), torch.inference_mode():
            layout = "channels-last" if channels_last else "contiguous"
            measured = stages.measured(trace, dtype, layout, blocks=blocks, isolate=isolate)
            if compile:
                measured = stages.with_compiled(measured, blocks)
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
    with refusals_as_errors(place), precision(dtype), torch.inference_mode():
        runs: list[Callable[[], Any]] = []
        for model in (first, second):
            ready, args, kw = prepare(
                model, inputs, kwargs, device=place, dtype=dtype, channels_last=channels_last
            )
            call = Call(ready, args, kw)
            warm_up(place, call)
            runs.append(captured(place, call)[0] or call)
        repeats = [repeats_of(place, run) for run in runs]
        ratios: list[float] = []
        for _ in range(blocks):
            took = {i: place.seconds(runs[i], repeats[i]) for i in draw.sample((0, 1), 2)}
            ratios.append(took[1] / took[0])
        return timing(ratios)


def _device(name: str, dtype: str) -> Device:
    """The device of that name. Raises MeasureError where there is none, or not with that dtype."""
    if dtype not in DTYPES:
        raise MeasureError(f"unknown dtype {dtype!r}; choose {', '.join(DTYPES)}")
    device = find_device(name)
    if dtype == "tf32" and device.kind != "cuda":
        raise MeasureError("tf32 products are for CUDA devices; choose fp32, bf16 or fp16")
    return device
