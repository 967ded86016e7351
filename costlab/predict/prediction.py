"""The predicted times of a trace's operations, and what a profile has to offer for them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import cached_property
from math import fsum
from typing import Protocol

from ..trace import Trace
from .estimate import Estimate, estimates_sum

LAYOUTS = ("contiguous", "channels-last")


class ProfileError(ValueError):
    """A profile that cannot be read, or that says nothing of a trace; the message says why."""


@dataclass(frozen=True)
class ProfileFacts:
    """Where a profile comes from.

    Attributes:
        name: of the device, as its vendor writes it.
        kind: "calibrated", of measurements on the device, or "datasheet", of published ceilings.
        dtype: a name of `costlab.measure.device.DTYPES` that the times are of.
        layout: "contiguous" or "channels-last".
        date: of the measurements or of the datasheet, as ISO 8601 writes it.
        source: the file, or the address of the datasheet.
        replayed: whether kernels were measured as replayed graphs, without the host's work.
    """

    name: str
    kind: str
    dtype: str
    layout: str
    date: str
    source: str
    replayed: bool = False


@dataclass(frozen=True)
class Prediction:
    """Times of one trace on one device.

    Attributes:
        facts: of the profile.
        ops: one estimate per operation of the trace, in its order.
        correlation: of the errors of two different kernels, as `estimates_sum` takes it.
        warnings: what a reader must know: another library version, what was never measured.
        kernels: what each operation runs, equal where two run the same; () where it is not known.
    """

    facts: ProfileFacts
    ops: tuple[Estimate, ...]
    correlation: float = 1.0
    warnings: tuple[str, ...] = ()
    kernels: tuple[Hashable, ...] = ()

    def over(self, operations: Iterable[int]) -> Estimate:
        """The time of some operations together, by their numbers in the trace."""
        return estimates_sum((self.ops[i] for i in operations), self.correlation)

    @cached_property
    def total(self) -> Estimate:
        """The time of the whole trace."""
        return self.over(range(len(self.ops)))

    @property
    def outside(self) -> float:
        """The share of the predicted time that lies outside what the device was measured at."""
        whole = self.total.seconds
        return fsum(e.seconds or 0.0 for e in self.ops if e.outside) / whole if whole else 0.0


class Profile(Protocol):
    """What is known of a device: measured times, or the ceilings of its datasheet."""

    def predict(
        self, trace: Trace, *, dtype: str | None = None, layout: str | None = None
    ) -> Prediction:
        """The times of a trace.

        Args:
            trace: of one inference call.
            dtype: a name of `costlab.measure.device.DTYPES`; default: what the trace ran in.
            layout: "contiguous" or "channels-last"; default: contiguous.

        Raises ProfileError for a dtype or layout that the profile has nothing of."""
        ...
