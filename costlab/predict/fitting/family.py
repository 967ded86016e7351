"""The times of one family of kernels in one dtype and layout."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..device_record import Point
from ..kernels import Kernel
from .ceilings import DeviceCeilings
from .conformal import COVERAGE, Array, conformal_quantile
from .gaussian import Gaussian, fit

FEWEST = 12  # points that a family is fitted to
_WIDEST = math.log(8.0)  # of the interval where little is known, to either side
_FAR = 1.5  # times the distance that 99% of held-out kernels have to the nearest one measured
_DEVIATIONS = 1.645  # of a normal distribution, to either side of 90% of it
_MOST_SPREAD = 0.4
_MOST_POINTS = 1500  # the first ones: a fit takes the cube of their number


@dataclass(frozen=True)
class LogTime:
    """The logarithm of a time: the middle, the half-width of its 90% interval, and whether the
    kernel is outside what was measured."""

    middle: float
    width: float
    outside: bool

    @property
    def seconds(self) -> float:
        """The expected time, which is what adds up: above the middle, since a time may be twice as
        long as easily as half as long. Of a lognormal one, the deviation s of its logarithm adds
        s**2 / 2; no more than `_MOST_SPREAD` of it is believed."""
        spread = min(self.width / _DEVIATIONS, _MOST_SPREAD)
        return math.exp(self.middle + spread**2 / 2)

    def end(self, side: int, widening: float = 1.0) -> float:
        """The lower (-1) or the upper (1) end of the interval in seconds, made wider."""
        return math.exp(self.middle + side * self.width * widening)

    def unsure(self) -> LogTime:
        """The same of a kernel that it is not the time of, but of one that does about as much."""
        return replace(self, width=_WIDEST, outside=True)


@dataclass(frozen=True)
class FamilyTimes:
    """Times of kernels from their ceilings, and a process on what these leave: of the warm time,
    and of how many times as long the cold one is. Without a process, what they leave is taken as
    the same for all: `offsets`, medians."""

    ceilings: DeviceCeilings
    process: Gaussian | None
    offsets: Array
    errors: Array
    deviations: Array
    far: float

    def predict(self, kernels: Sequence[Kernel], colds: Sequence[float]) -> list[LogTime]:
        """The times of kernels whose weights are in the cache (0 of `colds`) or not (1), or some
        of them. A kernel may be there again with another share: most of the work is done once."""
        rows = {kernel: row for row, kernel in enumerate(dict.fromkeys(kernels))}
        base, features = self.ceilings.described(rows)
        index = [rows[k] for k in kernels]
        cold = np.array(colds)
        if self.process is None:
            middle = base[index] + self.offsets[0] + self.offsets[1] * cold
            return [LogTime(m, _WIDEST, True) for m in middle.tolist()]
        found = self.process.at(features)
        beyond = found.distance / self.far
        widths = found.deviation * np.maximum(1.0, beyond)
        quantiles = {share: self._quantile(share) for share in dict.fromkeys(colds)}
        middle = (base + found.mean[:, 0])[index] + found.mean[index, 1] * cold
        width = np.minimum(widths[index] * [quantiles[share] for share in colds], _WIDEST)
        outside = (beyond > 1)[index]
        return list(map(LogTime, middle.tolist(), width.tolist(), outside.tolist()))

    def _quantile(self, cold: float) -> float:
        """So many deviations hold the errors of 90% of held-out kernels."""
        scores = np.abs(self.errors @ np.array([1.0, cold])) / self.deviations
        found = conformal_quantile(scores, COVERAGE)
        return found if math.isfinite(found) else 2.0 * float(scores.max())


def family_times(points: Sequence[Point], ceilings: DeviceCeilings) -> FamilyTimes:
    """Fitted to points of one family, dtype and layout."""
    points = points[:_MOST_POINTS]
    none = np.zeros((0, 2))
    if not points:
        return FamilyTimes(ceilings, None, np.zeros(2), none, np.zeros(0), 1.0)
    warm = np.log([p.warm.median for p in points])
    cold = np.log([(p.cold or p.warm).median for p in points])
    base, features = ceilings.described(p.kernel for p in points)
    rest = np.stack([warm - base, cold - warm], axis=1)
    offsets = np.median(rest, axis=0)
    if len(points) < FEWEST:
        return FamilyTimes(ceilings, None, offsets, none, np.zeros(0), 1.0)
    process = fit(features, rest)
    errors, deviations = (found[process.spared] for found in process.held_out())
    far = _FAR * float(np.quantile(process.held_out_distance(), 0.99))
    return FamilyTimes(ceilings, process, offsets, errors, deviations, max(far, 1e-6))
