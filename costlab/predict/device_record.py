"""What is measured of a device once: kernels and networks with their times, and the conditions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .kernels import Kernel


@dataclass(frozen=True)
class Seconds:
    """Seconds of one call: the `median`, least and most of several blocks of calls."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Point:
    """A kernel as it was measured. `warm`: called again and again on the same operands; `cold`:
    with weights, or a second operand, that were not in the cache (None: it has few or none, or
    they are read in little of its time)."""

    kernel: Kernel
    dtype: str
    layout: str
    warm: Seconds
    cold: Seconds | None = None


@dataclass(frozen=True)
class NetworkPoint:
    """A network of random layers, measured whole. `kernels`: what its operations run, in order;
    `params`: elements of its parameters; `seconds` of one call."""

    kernels: tuple[Kernel, ...]
    dtype: str
    layout: str
    params: int
    seconds: Seconds


@dataclass(frozen=True)
class DeviceFacts:
    """What a calibration was measured on, and how.

    Attributes:
        device: its name.
        kind: as torch names it, "cuda" or "cpu".
        date: of the first measurement, in ISO 8601.
        torch, costlab: versions.
        cache: bytes of the last cache.
        machine: what the device says of itself: cores, threads, multiprocessors, versions of cuda,
            cudnn and the driver; what it does not say is left out.
        clocks: of a GPU "sm_mhz", "watts" and so on, of a CPU "load", when measuring began; of a
            CPU also "product_ms" and "copy_ms", what a reference product and copy usually took
            while it was measured.
        notes: what a reader must know.
    """

    device: str
    kind: str
    date: str
    torch: str
    costlab: str
    cache: int
    machine: Mapping[str, str | int | float]
    clocks: Mapping[str, float] = field(default_factory=dict[str, float])
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Calibration:
    """All that was measured of one device. `host`: seconds that the host takes to issue one
    operation; `seconds`: that measuring took; `failed`: why points are missing -> how many."""

    facts: DeviceFacts
    points: tuple[Point, ...] = ()
    networks: tuple[NetworkPoint, ...] = ()
    host: float = 0.0
    seconds: float = 0.0
    failed: Mapping[str, int] = field(default_factory=dict[str, int])
