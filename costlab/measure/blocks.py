"""A model's call, repeated in blocks that last long enough to be timed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from torch import nn

from ..trace.facts import Sample
from .device import Device
from .replay import CaptureError, Replay


@dataclass(frozen=True)
class Call:
    """A model and what it is called with."""

    model: nn.Module
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def __call__(self) -> Any:
        return self.model(*self.args, **self.kwargs)


def warm_up(device: Device, call: Callable[[], Any]) -> None:
    """Calls that are not timed: kernels are chosen, and caches filled, in them."""
    for _ in range(device.warmups):
        call()


def captured(device: Device, call: Callable[[], Any]) -> tuple[Replay | None, str]:
    """The call without the host's work, or why it cannot be had."""
    try:
        return device.capture(call), ""
    except CaptureError as e:
        return None, str(e)


def repeats_of(device: Device, fn: Callable[[], Any]) -> int:
    """Calls in a block, so that it lasts long enough."""
    once = min(device.seconds(fn, 1) for _ in range(2))
    return max(device.fewest_calls, math.ceil(device.block_seconds / max(once, 1e-7)))


@dataclass(frozen=True)
class Blocks:
    """Seconds a call in each block that was kept, how many were not, and the device's `samples`
    during the first and the last. `steady`: whether any block was; if none was, all are kept."""

    seconds: list[float]
    dropped: int
    steady: bool
    first: Sample
    last: Sample


def time_blocks(device: Device, fn: Callable[[], Any], blocks: int) -> Blocks:
    """Time blocks of calls; one during which the clock moved is not kept. The clock is read while
    the device works: an idle one slows down."""
    repeats = repeats_of(device, fn)
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
    return Blocks(
        seconds=kept or seconds,
        dropped=len(seconds) - len(kept),
        steady=bool(kept),
        first=samples[0],
        last=samples[-1],
    )
