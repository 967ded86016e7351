"""What a device can do at most in one dtype: the physical part of each prediction.

A kernel takes at least as long as its bytes take to move and as its products take in whole waves of
tiles over the device's units. What is left is regressed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ..device_record import Point
from ..dtypes import WIDTHS
from ..kernels import Copy, Elementwise, Kernel
from .conformal import Array

_TILE = 64  # rows, and columns, of a product that one unit works on
_FALLBACK = (1e12, 1e11)  # FLOP/s and bytes/s where nothing was measured


@dataclass(frozen=True)
class DeviceCeilings:
    """`peak`: FLOP/s of the fastest product or convolution that was measured; `sizes` (bytes,
    increasing) and `times` of copies; `units`: of the device that work on tiles side by side (1:
    waves do not matter); `width`: bytes an element."""

    peak: float
    sizes: Array
    times: Array
    units: int
    width: int

    def seconds(self, kernel: Kernel) -> float:
        """What the kernel takes by the ceilings alone."""
        size = (kernel.read + kernel.written) * self.width
        return max(self.moved(size), self.multiplied(kernel))

    def roofline(self, kernel: Kernel) -> float:
        """Seconds by the best bandwidth and the peak alone (Williams et al. 2009)."""
        size = (kernel.read + kernel.written) * self.width
        bandwidth = float((self.sizes / self.times).max())
        return max(size / bandwidth, kernel.flops / self.peak)

    def moved(self, size: float) -> float:
        """Seconds to read and write so many bytes, launch included."""
        largest = float(self.sizes[-1])
        if size > largest:
            return float(self.times[-1]) * size / largest
        found = np.interp(math.log(max(size, 1.0)), np.log(self.sizes), np.log(self.times))
        return float(np.exp(found))

    def multiplied(self, kernel: Kernel) -> float:
        """Seconds of the arithmetic, in whole tiles and whole waves of them."""
        batch, rows, columns, _ = kernel.products
        if not batch:
            return 0.0
        down, across = math.ceil(rows / _TILE), math.ceil(columns / _TILE)
        tiles = batch * down * across
        waves = math.ceil(tiles / self.units) * self.units / tiles
        padding = min(down * across * _TILE**2 / max(rows * columns, 1), 8.0)
        return kernel.flops / self.peak * min(waves, 16.0) * padding

    def features(self, kernel: Kernel) -> tuple[float, ...]:
        """What the residual is regressed on: the kernel's own features, and which of both ceilings
        holds it."""
        size = (kernel.read + kernel.written) * self.width
        moved = self.moved(size)
        share = math.log2(max(self.multiplied(kernel), 1e-3 * moved) / moved)
        return *kernel.features, min(max(share, -4.0), 4.0), math.log2(self.seconds(kernel)) / 2


def device_ceilings(
    points: Iterable[Point], dtype: str, machine: Mapping[str, object]
) -> DeviceCeilings:
    """The ceilings in one dtype."""
    width = WIDTHS[dtype]
    own = [p for p in points if p.dtype == dtype]
    rates = [p.kernel.flops / p.warm.median for p in own if p.kernel.products[0]]
    sizes, times = _copies(own, width)
    units = machine.get("multiprocessors")
    return DeviceCeilings(
        max(rates, default=_FALLBACK[0]),
        sizes,
        times,
        units if isinstance(units, int) and units > 0 else 1,
        width,
    )


def _copies(points: Iterable[Point], width: int) -> tuple[Array, Array]:
    """Bytes and seconds of plain copies and ReLUs, both increasing; several of one size as their
    median."""
    by_size: dict[int, list[float]] = {}
    for p in points:
        k = p.kernel
        if (isinstance(k, Copy) and not k.strided) or (
            isinstance(k, Elementwise) and k.function == "relu" and not k.in_place
        ):
            by_size.setdefault((k.read + k.written) * width, []).append(p.warm.median)
    if not by_size:
        sizes = np.array([1.0, 1e9])
        return sizes, np.maximum(sizes / _FALLBACK[1], 1e-6)
    sizes = np.array(sorted(by_size), dtype=float)
    times = np.array([float(np.median(by_size[int(s)])) for s in sizes])
    return sizes, np.maximum.accumulate(times)
