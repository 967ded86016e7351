"""From kernels to networks: what passes between kernels, and how their errors add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..device_record import NetworkPoint
from .conformal import Array, conformal_quantile, correlation_needed

FEWEST_NETWORKS = 8
# networks that the belief that a whole takes what its kernels take weighs as much as: kernels are
# known to about 10% on the whole, a network to about 20%
_BELIEVED = 4
_FACTORS = (0.7, 1.5)  # what the whole may take by the sum of its kernels


@dataclass(frozen=True)
class KernelTimes:
    """The kernels of one network as they were predicted alone, each with all its calls: `middle`
    seconds, and the ends of their 90% intervals. `calls`: of all kernels."""

    middle: Array
    low: Array
    high: Array
    calls: int


@dataclass(frozen=True)
class Whole:
    """A network takes `factor` times what its kernels take, and `gap` seconds a kernel.
    `correlation` of the errors of two kernels; `widening` of all intervals, above 1 where errors
    are larger than even kernels that all err alike would make them."""

    factor: float = 1.0
    gap: float = 0.0
    correlation: float = 1.0
    widening: float = 1.0

    def apply(self, seconds: float) -> float:
        """The time of a kernel in a network."""
        return self.factor * seconds + self.gap


def fit_whole(measured: Sequence[NetworkPoint], predicted: Sequence[KernelTimes]) -> Whole:
    """Factor and gap with the least squared relative errors, then the correlation that 90% of the
    networks need. With few networks errors are taken to add up."""
    if len(measured) < FEWEST_NETWORKS:
        return Whole()
    whole = np.array([n.seconds.median for n in measured])
    sums = np.array([p.middle.sum() for p in predicted])
    counts = np.array([float(p.calls) for p in predicted])
    factor, gap = _factor_and_gap(whole, sums, counts)
    needed = np.array(
        [
            _needed(w, factor * s + gap * n, p, factor)
            for w, s, n, p in zip(whole, sums, counts, predicted, strict=True)
        ]
    )
    correlation = conformal_quantile(needed)
    if correlation <= 1.0:
        return Whole(factor, gap, max(0.0, correlation))
    worst = correlation if np.isfinite(correlation) else float(needed.max())
    return Whole(factor, gap, 1.0, float(np.sqrt(min(max(worst, 1.0), 100.0))))


def _factor_and_gap(whole: Array, sums: Array, counts: Array) -> tuple[float, float]:
    """Robust: networks whose error is far above the others' are left out of a second fit. Never a
    gap below 0, nor a factor outside `_FACTORS`; a factor alone is drawn towards 1."""
    kept = np.ones(len(whole), dtype=bool)
    factor, gap = 1.0, 0.0
    for _ in range(3):
        factor, gap = _least_squares(whole[kept], sums[kept], counts[kept])
        errors = np.abs((factor * sums + gap * counts) / whole - 1)
        kept = errors <= max(3 * float(np.median(errors)), 0.02)
    return factor, gap


def _least_squares(whole: Array, sums: Array, counts: Array) -> tuple[float, float]:
    design = np.stack([sums / whole, counts / whole], axis=1)
    factor, gap = np.linalg.lstsq(design, np.ones(len(whole)), rcond=None)[0]
    if gap < 0 or not _FACTORS[0] <= factor <= _FACTORS[1]:
        gap = 0.0
        median = float(np.clip(np.median(whole / sums), *_FACTORS))
        factor = 1 + (median - 1) * len(whole) / (len(whole) + _BELIEVED)
    return float(factor), float(gap)


def _needed(whole: float, predicted: float, kernels: KernelTimes, factor: float) -> float:
    """The correlation with which the kernels' intervals reach what was measured."""
    error = whole - predicted
    widths = kernels.high - kernels.middle if error > 0 else kernels.middle - kernels.low
    return correlation_needed(abs(error), factor * widths)
