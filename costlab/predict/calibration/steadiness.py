"""Whether a CPU works at its usual speed while it is measured.

Other programs, and the neighbours of a cloud machine, slow it down for seconds or minutes. A small
product is timed after each measurement: where it takes longer than usual, the measurement is taken
again. A copy is timed now and then, for the record: how fast memory is depends on how much of the
last cache the neighbours leave, and changes too often to wait for.
"""

from __future__ import annotations

import time
from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import TypeVar

import torch

from ...measure.device import Device

T = TypeVar("T")

_SIDE = 384  # of the matrices of the product, which fit a core's own cache
_COPIED = 2**22  # elements; with their copy as large as the last cache of many processors
_BLOCKS, _CALLS = 3, 4  # of the product: about 10 ms
_COPY_EVERY = 20  # products
_SLOWER = 1.08  # times the usual time, from which on the machine counts as disturbed
_USUAL = 0.25  # quantile of all times of the product: disturbances make it longer, never shorter
_TRIES = 4  # of one measurement
_AGAIN = 0.3  # of the time, at most, for measurements that are thrown away


@dataclass
class Steadiness:
    """Measurements of one device, and the speed of the device meanwhile. A GPU's clock is no
    matter of neighbours: of it every measurement is kept.

    Attributes:
        device: what is measured.
        clock: seconds that pass.
        products: seconds of the product, each time it was timed, the least first.
        copies: seconds of the copy, likewise, in the order of time.
        wasted: seconds that measurements took which were thrown away.
    """

    device: Device
    clock: Callable[[], float] = time.monotonic
    products: list[float] = field(default_factory=list[float])
    copies: list[float] = field(default_factory=list[float])
    wasted: float = 0.0

    def __post_init__(self) -> None:
        self._begun = self.clock()

    def undisturbed(self, measure: Callable[[], T]) -> T:
        """What `measure` returns, called again while the device is slower than usual after it; of
        several calls that of the least disturbed one. Raises what `measure` raises."""
        if self.device.kind != "cpu":
            return measure()
        found: list[tuple[float, T]] = []
        for _ in range(_TRIES):
            begun = self.clock()
            result = measure()
            found.append((self._time_product(), result))
            if found[-1][0] <= _SLOWER * self.usual or not self._may_waste():
                break
            self.wasted += self.clock() - begun
        return min(found, key=lambda pair: pair[0])[1]

    @property
    def usual(self) -> float:
        """Seconds that the product usually takes."""
        return self.products[int(_USUAL * (len(self.products) - 1))]

    def clocks(self) -> dict[str, float]:
        """The usual times for the record, in milliseconds; nothing where nothing was timed."""
        if not self.products:
            return {}
        return {"product_ms": _digits(self.usual), "copy_ms": _digits(median(self.copies))}

    def _may_waste(self) -> bool:
        return self.wasted < _AGAIN * (self.clock() - self._begun)

    def _time_product(self) -> float:
        """Time the product, and the copy where it is its turn."""
        if len(self.products) % _COPY_EVERY == 0:
            source = torch.ones(_COPIED)
            target = torch.empty_like(source)
            self.copies.append(self._seconds(lambda: target.copy_(source)))
        matrix = torch.ones(_SIDE, _SIDE)
        seconds = self._seconds(lambda: torch.mm(matrix, matrix))
        insort(self.products, seconds)
        return seconds

    def _seconds(self, call: Callable[[], object]) -> float:
        """Of a call after a first one: the least of several blocks."""
        self.device.seconds(call, 1)
        return min(self.device.seconds(call, _CALLS) for _ in range(_BLOCKS))


def _digits(seconds: float) -> float:
    return float(f"{1e3 * seconds:.4g}")
