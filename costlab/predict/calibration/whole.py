"""A network, timed whole."""

from __future__ import annotations

from typing import Any

from torch import nn

from ...measure.blocks import Call
from ...measure.device import Device
from ...measure.prepare import prepare
from ...trace.tracer import trace
from ..device_record import NetworkPoint, Seconds
from ..kernels import kernels_of
from .networks import random_network
from .timing import time_calls

_BLOCKS = 9


def time_model(device: Device, model: nn.Module, inputs: Any, dtype: str, layout: str) -> Seconds:
    """A call of a model, replayed on a GPU, from Python on a CPU, in the dtype and layout. Raises
    what torch raises, and CaptureError for a model that a GPU cannot replay."""
    ready, args, kwargs = prepare(
        *(model, inputs, None),
        device=device,
        dtype=dtype,
        channels_last=layout == "channels-last",
    )
    return time_calls(device, [Call(ready, args, kwargs)], _BLOCKS)


def time_network(device: Device, seed: int, dtype: str, layout: str) -> NetworkPoint:
    """A call of the network of random layers of that seed. Raises as `time_model` does."""
    model, inputs = random_network(seed)
    traced = trace(model, inputs, device="meta")
    seconds = time_model(device, model, inputs, dtype, layout)
    return NetworkPoint(
        tuple(k.kernel for k in kernels_of(traced, layout) if k.kernel),
        dtype,
        layout,
        sum(p.numel for p in traced.params),
        seconds,
    )
