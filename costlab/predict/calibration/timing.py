"""How one kernel, or one network, is timed: blocks of calls, replayed where the device can."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from ...measure.device import Device
from ..device_record import Seconds
from ..kernels import Kernel
from .calls import Operands, Run, Store, call_of

BLOCKS = 5
_TRIES = 4  # calls before blocks are timed, the first ones to warm up
_BLOCK_SECONDS = {"cuda": 0.0015, "cpu": 0.003}
_MOST_CALLS = {"cuda": 64, "cpu": 640}  # in a chain: on a GPU, one captured graph
_SLOW = 0.02  # seconds; blocks that take longer are fewer
_FEWEST_BLOCKS = 3
_SMALL_WEIGHTS = 2**16  # bytes; what takes as long to fetch as to launch a kernel
# of a warm call: weights that are fetched within this share of it, at the rate of the cache, need
# not be measured cold
_FETCHED = {"cuda": 0.005, "cpu": 0.01}
_OVERFLOW = {"cuda": 2.0, "cpu": 1.25}  # caches; what is read before weights come again


def time_kernel(
    device: Device, kernel: Kernel, store: Store, *, channels_last: bool, fetching: float = math.inf
) -> tuple[Seconds, Seconds | None]:
    """Seconds of a call on the same operands again and again, and with weights that are not in the
    cache; None for a kernel with few or no weights, whose operands alone overflow the cache, or
    whose weights are fetched in little of its time: `fetching` is seconds that they take at
    least."""
    warm = time_calls(device, [call_of(kernel, Operands(store, channels_last))])
    if fetching < _FETCHED[device.kind] * warm.median:
        return warm, None
    return warm, _time_cold(device, kernel, store, channels_last)


def _time_cold(device: Device, kernel: Kernel, store: Store, channels_last: bool) -> Seconds | None:
    size = kernel.weights * store.dtype.itemsize
    operands = (kernel.read + kernel.written) * store.dtype.itemsize
    if size < _SMALL_WEIGHTS or operands > 2 * device.cache_bytes():
        return None
    overflow = _OVERFLOW[device.kind] * device.cache_bytes()
    turns = max(2, min(_MOST_CALLS[device.kind], math.ceil(overflow / size)))
    step = max(kernel.weights, store.size // turns)
    calls = [
        call_of(kernel, Operands(store, channels_last, turn=turn * step)) for turn in range(turns)
    ]
    return time_calls(device, calls)


def time_calls(device: Device, calls: Sequence[Run], blocks: int = BLOCKS) -> Seconds:
    """Seconds a call, of calls one after another. Raises CaptureError for calls that a GPU cannot
    replay: from Python they would take the host's time; RuntimeError where no time passed."""
    once = _once(device, calls[0])
    wanted = _BLOCK_SECONDS[device.kind]
    most = _MOST_CALLS[device.kind] // len(calls)
    rounds = max(1, min(math.ceil(wanted / (once * len(calls))), most))
    run, a_run = _repeatable(device, _Chain(tuple(calls) * rounds)), len(calls) * rounds
    if device.kind == "cuda":
        once = max(device.seconds(run, 1) / a_run, 1e-8)
    repeats = max(1, math.ceil(wanted / (once * a_run)))
    blocks = blocks if once * a_run * repeats < _SLOW else _FEWEST_BLOCKS
    taken = sorted(device.seconds(run, repeats) / a_run for _ in range(blocks))
    if not 0 < taken[0] <= taken[-1] < math.inf:
        raise RuntimeError("the device's clock says that it took no time")
    return Seconds(median(taken), taken[0], taken[-1])


def _once(device: Device, call: Run) -> float:
    """Seconds of a call after its first ones, which prepare it; a slow one is tried less often."""
    tries = [device.seconds(call, 1)]
    while len(tries) < _TRIES and (len(tries) < 2 or tries[-1] < _SLOW):
        tries.append(device.seconds(call, 1))
    return max(min(tries[1:]), 1e-7)


@dataclass(frozen=True)
class _Chain:
    """Calls one after another; no result is kept."""

    calls: Sequence[Run]

    def __call__(self) -> None:
        for call in self.calls:
            call()


def _repeatable(device: Device, chain: _Chain) -> Callable[[], Any]:
    """The calls without the host's work, on a GPU."""
    return device.capture(chain) if device.kind == "cuda" else chain
