"""Which kernels a device can be asked to measure: what fits, and does not take long."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from ...measure.device import DTYPES, Device
from ..kernels import Kernel

_LONGEST = {"cuda": 0.01, "cpu": 0.1}  # seconds of one call
_SLOW = {"cuda": 0.002, "cpu": 0.015}  # seconds of one call
_SLOW_SHARE = 0.25  # of the time for kernels, at most for slow ones, once one was measured
_STORE = {"cuda": 2**28, "cpu": 2**27}  # elements, where so many fit
_UNUSED = 4 << 30  # bytes that torch's allocator may hold for nobody
_FIRST_RATES = {"cuda": (1e13, 1e12), "cpu": (2e10, 4e9)}  # before anything was measured


@dataclass
class Limits:
    """What is expected of a device, by the fastest that it did so far: FLOP/s, and elements read
    and written a second, of each dtype. `spent`: seconds that measuring kernels took, and `slow`
    those for slow ones."""

    device: Device
    rates: dict[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    spent: float = 0.0
    slow: float = 0.0

    def store_size(self, dtype: str) -> int:
        """Elements of the store of operands: an eighth of the memory at most."""
        fits = self.device.free_bytes() // 8 // DTYPES[dtype].itemsize
        return max(2**20, min(_STORE[self.device.kind], fits))

    def allow(self, kernel: Kernel, dtype: str, store: int) -> bool:
        """Whether a kernel fits into a store of so many elements, and is not expected to take
        long."""
        size = kernel.read + kernel.written
        fits = kernel.operands + kernel.written <= store
        if not fits or size * DTYPES[dtype].itemsize > self.device.free_bytes() / 4:
            return False
        multiplied, moved = self._rate(dtype)
        expected, kind = kernel.flops / multiplied + size / moved, self.device.kind
        longest = _SLOW[kind] if self.slow > _SLOW_SHARE * self.spent else _LONGEST[kind]
        return expected < longest

    def fetching(self, kernel: Kernel, dtype: str) -> float:
        """Seconds that the kernel's weights take to be read from memory, at least."""
        return kernel.weights / self._rate(dtype)[1]

    def learn(self, kernel: Kernel, dtype: str, seconds: float, spent: float) -> None:
        """A call of a kernel took `seconds`, and measuring it `spent`."""
        self.spent += spent
        self.slow += spent if seconds > _SLOW[self.device.kind] else 0.0
        multiplied, moved = self._rate(dtype)
        size = kernel.read + kernel.written
        self.rates[dtype] = (
            max(multiplied, kernel.flops / seconds),
            max(moved, size / seconds if size > 2**22 else 0.0),
        )

    def _rate(self, dtype: str) -> tuple[float, float]:
        return self.rates.get(dtype, _FIRST_RATES[self.device.kind])


def release_memory(device: Device) -> None:
    """Give back what replays of earlier kernels held: torch keeps the memory of each for itself.
    Only while no replay lives, which would read memory that is gone."""
    if device.kind == "cuda":
        unused = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
        if unused > _UNUSED:
            torch.cuda.empty_cache()
