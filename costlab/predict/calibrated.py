"""A calibrated device: what was measured of it, as a profile that predicts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ..trace import Trace
from . import notes
from .device_record import Calibration, NetworkPoint, Point
from .device_rows import DTYPES
from .dtypes import WIDTHS, dtype_of
from .estimate import Estimate
from .fitting.ceilings import DeviceCeilings, device_ceilings
from .fitting.family import FamilyTimes, LogTime, family_times
from .fitting.whole import FEWEST_NETWORKS, KernelTimes, Whole, fit_whole
from .kernels import FAMILIES, Kernel, OpKernel, kernels_of
from .prediction import LAYOUTS, Prediction, ProfileError, ProfileFacts

if TYPE_CHECKING:
    from .._narrow import StrPath

# what is read between two calls of the network, by the size of the cache: nothing stays from one
# call to the next above the second share, all of it below the first
_STAYS = (0.5, 1.0)
IDLE = Estimate(0.0, 0.0, 0.0)
# a kernel, and which share of its weights is not in the cache
ColdKernel = tuple[Kernel, float]


class CalibratedProfile:
    """A device file, fitted where a prediction needs it."""

    def __init__(self, calibration: Calibration, source: StrPath = ""):
        self.calibration = calibration
        self.source = str(source)
        self._families = lru_cache(None)(self._fit_family)
        self._ceilings = lru_cache(None)(self._fit_ceilings)
        self._wholes = lru_cache(None)(self._fit_whole)

    @property
    def name(self) -> str:
        """The device's."""
        return self.calibration.facts.device

    @property
    def summary(self) -> str:
        """What was measured, in a few words."""
        c = self.calibration
        missing = f", {sum(c.failed.values()):,} failed" if c.failed else ""
        busy = f", while the load was {load:.1f}" if (load := notes.load_of_others(c.facts)) else ""
        return (
            f"{len(c.points):,} kernels and {len(c.networks):,} networks of {self.name} in "
            f"{c.seconds / 60:,.1f} minutes{missing}{busy}"
        )

    @cached_property
    def conditions(self) -> tuple[tuple[str, str], ...]:
        """The pairs of dtype and layout that were measured, the one with most points first."""
        counts = Counter((p.dtype, p.layout) for p in self.calibration.points if p.kernel.layouts)
        counts.update({(p.dtype, p.layout): 0 for p in self.calibration.points})
        return tuple(pair for pair, _ in counts.most_common())

    def predict(
        self, trace: Trace, *, dtype: str | None = None, layout: str | None = None
    ) -> Prediction:
        """The times of a trace of one inference call; `dtype` and `layout` as `Profile.predict`
        takes them.

        Raises ProfileError for a trace of a training step, and for a dtype or layout that was not
        measured."""
        if trace.trained:
            raise ProfileError(
                f"{trace.provenance['model']} was traced for training, and a device is calibrated "
                "for inference; trace it without the backward pass"
            )
        dtype, layout = self._choose(dtype or dtype_of(trace), layout or layout_of(trace))
        ops = kernels_of(trace, layout)
        estimates = self._estimates(ops, dtype, layout, self._cold(trace, dtype))
        return Prediction(
            ProfileFacts(
                self.name,
                "calibrated",
                dtype,
                layout,
                self.calibration.facts.date[:10],
                self.source,
                replayed=self.calibration.facts.kind == "cuda",
            ),
            tuple(estimates),
            self._wholes(dtype, layout).correlation,
            tuple(
                notes.warnings(
                    trace,
                    self.calibration.facts,
                    dtype,
                    layout,
                    ops,
                    estimates,
                    missing=self._missing(dtype, layout),
                )
            ),
            tuple(ops),
        )

    def _missing(self, dtype: str, layout: str) -> frozenset[str]:
        """The families of which nothing was measured."""
        return frozenset(f for f in FAMILIES if not self._points(f, dtype, layout))

    def _choose(self, dtype: str, layout: str) -> tuple[str, str]:
        """The conditions, where they were measured."""
        dtypes = dict.fromkeys(d for d, _ in self.conditions)
        if not dtypes:
            raise ProfileError(
                f"{self.source or self.name} has no measurements yet; continue it with "
                "`costlab calibrate --resume`"
            )
        if dtype not in dtypes:
            raise ProfileError(
                f"{self.source or self.name} has nothing of dtype {dtype}; it has "
                f"{', '.join(dtypes)}" + f"; calibrate with --dtypes {dtype}" * (dtype in DTYPES)
            )
        if layout not in LAYOUTS:
            raise ProfileError(f"unknown layout {layout!r}; choose {' or '.join(LAYOUTS)}")
        layouts = dict.fromkeys(
            p.layout for p in self.calibration.points if p.dtype == dtype and p.kernel.layouts
        )
        if layouts and layout not in layouts:
            raise ProfileError(
                f"{self.source or self.name} has nothing of layout {layout} in {dtype}; it has "
                f"{', '.join(layouts)}; calibrate with --layouts {layout}"
            )
        return dtype, layout

    def _cold(self, trace: Trace, dtype: str) -> float:
        """Which share of the weights is not in the cache any more when the network is called
        again: by what a call reads and writes beside the size of the cache."""
        params = sum(p.numel for p in trace.params)
        largest = max((t.numel for t in trace.tensors), default=0)
        return self._cold_share(params + 2 * largest, dtype)

    def _cold_share(self, elements: int, dtype: str) -> float:
        cache = self.calibration.facts.cache
        share = elements * WIDTHS[dtype] / cache if cache else math.inf
        low, high = _STAYS
        return min(max((share - low) / (high - low), 0.0), 1.0)

    def _estimates(
        self, ops: Sequence[OpKernel], dtype: str, layout: str, cold: float
    ) -> list[Estimate]:
        """One for each operation, as it is in a network."""
        whole = self._wholes(dtype, layout)
        asked = [(op.kernel, cold) for op in ops if op.kernel is not None]
        times = self._log_times(asked, dtype, layout)
        found: list[Estimate] = []
        for op in ops:
            if op.kernel is None:
                found.append(IDLE)
                continue
            time = times[op.kernel, cold]
            time = time if op.known else time.unsure()
            low, high = (whole.apply(time.end(side, whole.widening)) for side in (-1, 1))
            seconds = min(max(whole.apply(time.seconds), low), high)
            found.append(Estimate(low, seconds, high, time.outside))
        return found

    def _log_times(
        self, asked: Iterable[ColdKernel], dtype: str, layout: str
    ) -> dict[ColdKernel, LogTime]:
        """Of each kernel alone, a family at a time."""
        wanted = dict.fromkeys(asked)
        used = {(k, cold): (self._nearest(k, dtype, layout), cold) for k, cold in wanted}
        by_family: dict[str, dict[ColdKernel, None]] = {}
        for kernel, cold in used.values():
            by_family.setdefault(kernel.family, {})[kernel, cold] = None
        found: dict[ColdKernel, LogTime] = {}
        for family, alike in by_family.items():
            kernels, colds = zip(*alike, strict=True)
            times = self._families(family, dtype, layout).predict(kernels, colds)
            found.update(zip(alike, times, strict=True))
        return {a: found[u] if u[0] is a[0] else found[u].unsure() for a, u in used.items()}

    def _nearest(self, kernel: Kernel, dtype: str, layout: str) -> Kernel:
        """The kernel itself, or its relative where nothing of its family was measured."""
        if self._points(kernel.family, dtype, layout):
            return kernel
        return kernel.relative or kernel

    def _points(self, family: str, dtype: str, layout: str) -> Sequence[Point]:
        layout = layout if FAMILIES[family].layouts else "contiguous"
        return self._groups.get((family, dtype, layout), ())

    @cached_property
    def _groups(self) -> dict[tuple[str, str, str], list[Point]]:
        """The points by family, dtype and layout."""
        found: dict[tuple[str, str, str], list[Point]] = {}
        for p in self.calibration.points:
            found.setdefault((p.kernel.family, p.dtype, p.layout), []).append(p)
        return found

    def _fit_family(self, family: str, dtype: str, layout: str) -> FamilyTimes:
        return family_times(self._points(family, dtype, layout), self._ceilings(dtype, layout))

    def _fit_ceilings(self, dtype: str, layout: str) -> DeviceCeilings:
        return device_ceilings(self.calibration.points, dtype, layout, self.calibration.facts)

    def _fit_whole(self, dtype: str, layout: str) -> Whole:
        """Of the networks under these conditions; where there are few, of those in the dtype, and
        then of all."""
        every = self.calibration.networks
        groups = (
            [n for n in every if (n.dtype, n.layout) == (dtype, layout)],
            [n for n in every if n.dtype == dtype],
            every,
        )
        used = next((g for g in groups if len(g) >= FEWEST_NETWORKS), every)
        return fit_whole(used, self._network_times(used))

    def _network_times(self, networks: Sequence[NetworkPoint]) -> list[KernelTimes]:
        """The kernels of networks that were measured, predicted alone: of all networks under the
        same conditions together, as most kernels are in several of them."""
        shares = [self._cold_in(n) for n in networks]
        asked = [[(k, cold) for k in n.kernels] for n, cold in zip(networks, shares, strict=True)]
        by_conditions: dict[tuple[str, str], list[ColdKernel]] = {}
        for network, kernels in zip(networks, asked, strict=True):
            by_conditions.setdefault((network.dtype, network.layout), []).extend(kernels)
        times = {c: self._log_times(kernels, *c) for c, kernels in by_conditions.items()}
        return [
            _kernel_times([times[n.dtype, n.layout][kernel] for kernel in kernels])
            for n, kernels in zip(networks, asked, strict=True)
        ]

    def _cold_in(self, network: NetworkPoint) -> float:
        """As `_cold`, of a network that was measured."""
        largest = max(max(k.read, k.written) for k in network.kernels)
        return self._cold_share(network.params + 2 * largest, network.dtype)


def _kernel_times(times: Sequence[LogTime]) -> KernelTimes:
    """From the time of each kernel of a network; equal ones are of one kernel."""
    found = [(n * t.end(-1), n * t.seconds, n * t.end(1)) for t, n in Counter(times).items()]
    low, middle, high = np.array(found).T
    return KernelTimes(np.clip(middle, low, high), low, high, len(times))


def layout_of(trace: Trace) -> str:
    """As it was measured, or contiguous."""
    return trace.measured.conditions["layout"] if trace.measured else "contiguous"
