"""What a device can do at most in one dtype: the physical part of each prediction.

A kernel takes at least as long as its bytes take to move and as its products take in whole waves of
tiles over the device's units. What is left is regressed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..device_record import DeviceFacts, Point
from ..dtypes import WIDTHS
from ..kernels import Copy, Elementwise, Kernel
from .conformal import Array

# rows and columns of a product that one unit works on; a core's are what its vector registers hold
_TILES = {"cuda": (64, 64), "cpu": (6, 16)}
# bytes; the C library maps larger results anew for each call, page by page, and no smaller ones
# (M_MMAP_THRESHOLD_MAX of glibc)
_MAPPED = 2**25
_FALLBACK = (1e12, 1e11)  # FLOP/s and bytes/s where nothing was measured


@dataclass(frozen=True)
class DeviceCeilings:
    """`peak`: FLOP/s of the fastest product or convolution that was measured; `sizes` (bytes,
    increasing) and `times` of copies; `units`: of the device that work on tiles side by side (1:
    waves do not matter); `width`: bytes an element; `mapping`: seconds a byte of memory that is
    mapped anew (0: the device's allocator keeps it); `reorders`: whether convolutions copy images
    into blocks of channels and back; `tile`: rows and columns of a product that a unit works
    on."""

    peak: float
    sizes: Array
    times: Array
    units: int
    width: int
    mapping: float = 0.0
    reorders: bool = False
    tile: tuple[int, int] = _TILES["cuda"]

    def seconds(self, kernel: Kernel) -> float:
        """What the kernel takes by the ceilings alone."""
        return self._described(kernel)[0]

    @cached_property
    def _log_copies(self) -> tuple[Array, Array]:
        """The logarithms of `sizes` and `times`."""
        return np.log(self.sizes), np.log(self.times)

    def mapped(self, kernel: Kernel) -> float:
        """Seconds for the memory that a call takes anew, of its result and of reordered tensors,
        each of which is mapped from a size on."""
        if not self.mapping:
            return 0.0
        tensors = kernel.fresh, *(kernel.reordered if self.reorders else ())
        sizes = (elements * self.width for elements in tensors)
        return self.mapping * sum(size for size in sizes if size >= _MAPPED)

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
        return math.exp(np.interp(math.log(max(size, 1.0)), *self._log_copies))

    def multiplied(self, kernel: Kernel) -> float:
        """Seconds of the arithmetic, in whole tiles and whole waves of them."""
        batch, rows, columns, _ = kernel.products
        if not batch:
            return 0.0
        down, across = math.ceil(rows / self.tile[0]), math.ceil(columns / self.tile[1])
        tiles = batch * down * across
        waves = math.ceil(tiles / self.units) * self.units / tiles
        padding = min(down * across * math.prod(self.tile) / max(rows * columns, 1), 8.0)
        return kernel.flops / self.peak * min(waves, 16.0) * padding

    def described(self, kernels: Iterable[Kernel]) -> tuple[Array, Array]:
        """The logarithm of what each kernel takes by the ceilings alone, in seconds; and, a row
        each, what the residual is regressed on: the kernel's own features, and which of both
        ceilings holds it."""
        rows = [self._described(kernel) for kernel in kernels]
        return np.log([seconds for seconds, _ in rows]), np.array([row for _, row in rows])

    def _described(self, kernel: Kernel) -> tuple[float, tuple[float, ...]]:
        """Seconds by the ceilings alone, and a row of features."""
        moved = self.moved((kernel.read + kernel.written) * self.width)
        multiplied = self.multiplied(kernel)
        seconds = max(moved, multiplied) + self.mapped(kernel)
        share = math.log2(max(multiplied, 1e-3 * moved) / moved)
        return seconds, (*kernel.features, min(max(share, -4.0), 4.0), math.log2(seconds) / 2)


def device_ceilings(
    points: Iterable[Point], dtype: str, layout: str, facts: DeviceFacts
) -> DeviceCeilings:
    """The ceilings in one dtype and layout."""
    width = WIDTHS[dtype]
    own = [p for p in points if p.dtype == dtype]
    rates = [p.kernel.flops / p.warm.median for p in own if p.kernel.products[0]]
    host = facts.kind == "cpu"
    copies = _copies(own, width)
    sizes, times = _curve({s: t for s, t in copies.items() if not host or s < 2 * _MAPPED})
    units = facts.machine.get("multiprocessors")
    found = DeviceCeilings(
        max(rates, default=_FALLBACK[0]),
        sizes,
        times,
        units if isinstance(units, int) and units > 0 else 1,
        width,
        reorders=host and layout == "contiguous",
        tile=_TILES[facts.kind],
    )
    return replace(found, mapping=_mapping(found, copies)) if host else found


def _copies(points: Iterable[Point], width: int) -> dict[int, float]:
    """Seconds of plain copies and ReLUs by their bytes; several of one size as their median."""
    by_size: dict[int, list[float]] = {}
    for p in points:
        k = p.kernel
        if (isinstance(k, Copy) and not k.strided) or (
            isinstance(k, Elementwise) and k.function == "relu" and not k.in_place
        ):
            by_size.setdefault((k.read + k.written) * width, []).append(p.warm.median)
    return {size: float(np.median(times)) for size, times in sorted(by_size.items())}


def _curve(copies: Mapping[int, float]) -> tuple[Array, Array]:
    """Bytes and seconds, both increasing."""
    if not copies:
        sizes = np.array([1.0, 1e9])
        return sizes, np.maximum(sizes / _FALLBACK[1], 1e-6)
    sizes, times = np.array(list(copies), dtype=float), np.array(list(copies.values()))
    return sizes, np.maximum.accumulate(times)


def _mapping(ceilings: DeviceCeilings, copies: Mapping[int, float]) -> float:
    """Seconds a byte of the results of copies that are mapped anew, beyond moving them."""
    rates = [
        (seconds - ceilings.moved(size)) / (size / 2)
        for size, seconds in copies.items()
        if size >= 2 * _MAPPED
    ]
    return max(0.0, float(np.median(rates))) if rates else 0.0
