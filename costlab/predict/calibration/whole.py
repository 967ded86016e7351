"""A network of random layers, timed whole."""

from __future__ import annotations

from ...measure.blocks import Call
from ...measure.device import Device
from ...measure.prepare import prepare
from ...trace.tracer import trace
from ..device_record import NetworkPoint
from ..kernels import kernels_of
from .networks import random_network
from .timing import time_calls

_BLOCKS = 9


def time_network(device: Device, seed: int, dtype: str, layout: str) -> NetworkPoint:
    """A call of the network of that seed. Raises what torch raises."""
    model, inputs = random_network(seed)
    traced = trace(model, inputs, device="meta")
    ready, args, kwargs = prepare(
        *(model, inputs, None),
        device=device,
        dtype=dtype,
        channels_last=layout == "channels-last",
    )
    seconds = time_calls(device, [Call(ready, args, kwargs)], _BLOCKS)
    return NetworkPoint(
        tuple(k.kernel for k in kernels_of(traced, layout) if k.kernel),
        dtype,
        layout,
        sum(p.numel for p in traced.params),
        seconds,
    )
