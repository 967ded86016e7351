"""The times of one family of kernels in one dtype and layout."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..device_record import Point
from ..kernels import Kernel
from .ceilings import DeviceCeilings
from .conformal import Array, HeldOut
from .gaussian import Gaussian, fit

FEWEST = 12  # points that a family is fitted to
_WIDEST = math.log(8.0)  # of the interval where little is known, to either side
_FAR = 1.5  # times the distance that 99% of held-out kernels have to the nearest one measured
_MOST_SPREAD = 0.4
_MOST_POINTS = 1500  # the first ones: a fit takes the cube of their number


@dataclass(frozen=True)
class LogTime:
    """The logarithm of a time: the middle, the half-width of its 90% interval, whether the kernel
    is outside what was measured, and the deviation that the process states."""

    middle: float
    width: float
    outside: bool
    deviation: float = _MOST_SPREAD

    @property
    def seconds(self) -> float:
        """The expected time, which is what adds up: above the middle, since a time may be twice as
        long as easily as half as long. Of a lognormal one, the deviation s of its logarithm adds
        s**2 / 2; no more than `_MOST_SPREAD` of it is believed."""
        spread = min(self.deviation, _MOST_SPREAD)
        return math.exp(self.middle + spread**2 / 2)

    def end(self, side: int, widening: float = 1.0) -> float:
        """The lower (-1) or the upper (1) end of the interval in seconds, made wider."""
        return math.exp(self.middle + side * self.width * widening)

    def unsure(self) -> LogTime:
        """The same of a kernel that it is not the time of, but of one that does about as much."""
        return replace(self, width=_WIDEST, outside=True, deviation=_MOST_SPREAD)


@dataclass(frozen=True)
class FamilyTimes:
    """Times of kernels from their ceilings, and a process on what these leave: of the warm time,
    and of how many times as long the cold one is. Without a process, what they leave is taken as
    the same for all: `offsets`, medians."""

    ceilings: DeviceCeilings
    process: Gaussian | None
    offsets: Array
    held_out: HeldOut | None = None
    far: float = 1.0

    def predict(self, kernels: Sequence[Kernel], colds: Sequence[float]) -> list[LogTime]:
        """The times of kernels whose weights are in the cache (0 of `colds`) or not (1), or some
        of them. A kernel may be there again with another share: most of the work is done once."""
        rows = {kernel: row for row, kernel in enumerate(dict.fromkeys(kernels))}
        base, features = self.ceilings.described(rows)
        index = np.array([rows[k] for k in kernels])
        cold = np.array(colds)
        if self.process is None or self.held_out is None:
            middle = base[index] + self.offsets[0] + self.offsets[1] * cold
            return [LogTime(m, _WIDEST, True) for m in middle.tolist()]
        found = self.process.at(features)
        beyond = found.distance / self.far
        nearest = self.held_out.nearest(features / self.process.lengths)
        widths = found.deviation * np.maximum(1.0, beyond)
        width = np.minimum(widths[index] * _ratios(self.held_out, nearest[index], cold), _WIDEST)
        middle = (base + found.mean[:, 0])[index] + found.mean[index, 1] * cold
        columns = middle, width, (beyond > 1)[index], found.deviation[index]
        return list(map(LogTime, *(column.tolist() for column in columns)))


def _ratios(held_out: HeldOut, nearest: NDArray[np.int_], colds: Array) -> Array:
    """Of half-widths to deviations, a share of cold weights at a time."""
    found = np.empty(len(colds))
    for cold in np.unique(colds):
        asked = colds == cold
        found[asked] = held_out.ratios(nearest[asked], np.array([1.0, cold]))
    return found


def family_times(points: Sequence[Point], ceilings: DeviceCeilings) -> FamilyTimes:
    """Fitted to points of one family, dtype and layout."""
    points = points[:_MOST_POINTS]
    if not points:
        return FamilyTimes(ceilings, None, np.zeros(2))
    warm = np.log([p.warm.median for p in points])
    cold = np.log([(p.cold or p.warm).median for p in points])
    base, features = ceilings.described(p.kernel for p in points)
    rest = np.stack([warm - base, cold - warm], axis=1)
    offsets = np.median(rest, axis=0)
    if len(points) < FEWEST:
        return FamilyTimes(ceilings, None, offsets)
    process = fit(features, rest)
    far = _FAR * float(np.quantile(process.held_out_distance(), 0.99))
    return FamilyTimes(ceilings, process, offsets, process.held_out(), max(far, 1e-6))
