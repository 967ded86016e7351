"""What one side of a rule took, what a rule saved, and the rules of one set of conditions."""

from __future__ import annotations

from dataclasses import dataclass

from ..._result import Result
from ...measure.naming import RunName
from ...tables import Sheet
from ...trace import Timing
from ..roofline.change import DRIFT
from .notes import cause, reason
from .sheets import sheet_of


@dataclass(frozen=True)
class Side:
    """One side of a rule as it ran. `macs`: multiply-adds; `flops`; `time` in seconds; `peak` in
    FLOP/s and `bandwidth` in bytes/s, the device's ceilings in the same run; `steps`: operations
    that took time.

    Of the time in place, in seconds: `counted` in operations with multiply-adds, `memory_bound` the
    part of it in those whose intensity is below the ridge, `uncounted` in operations without
    multiply-adds, such as ReLU and pooling. `intensity`: FLOPs a
    byte of the operations with multiply-adds."""

    macs: int
    flops: int
    time: Timing
    peak: float
    bandwidth: float
    steps: int
    counted: float
    memory_bound: float
    uncounted: float
    intensity: float

    @property
    def reached(self) -> float:
        """FLOP/s over the whole time, by the ceiling."""
        return self.flops / self.time.median / self.peak

    @property
    def ridge(self) -> float:
        """FLOPs a byte below which memory is the limit."""
        return self.peak / self.bandwidth

    @property
    def outside(self) -> float:
        """Seconds of the whole that no operation explains: gaps between kernels and launch."""
        return max(0.0, self.time.median - self.counted - self.uncounted)


@dataclass(frozen=True)
class Saving:
    """A rule on one device: `name`, and the two sides measured."""

    name: str
    before: Side
    after: Side

    @property
    def macs_saved(self) -> float:
        """Share of the multiply-adds; negative where it needs more."""
        return 1 - self.after.macs / self.before.macs

    @property
    def time_saved(self) -> float:
        """Share of the time; negative where it takes longer."""
        return 1 - self.after.time.median / self.before.time.median

    @property
    def interval(self) -> tuple[float, float]:
        """Of the time saved: the ends of both 95% intervals against each other, which is wider than
        a 95% interval, because the two sides were measured in separate runs."""
        before, after = self.before.time, self.after.time
        return 1 - after.high / before.low, 1 - after.low / before.high

    @property
    def apart(self) -> bool:
        """Whether the interval excludes zero."""
        low, high = self.interval
        return low > 0 or high < 0

    @property
    def may_be_drift(self) -> bool:
        """Whether the difference is too small to tell from drift between two runs."""
        return not self.apart or abs(self.time_saved) < DRIFT

    @property
    def why(self) -> str:
        """One sentence: what each side reaches of the device, and what holds the second back."""
        return reason(self)

    @property
    def cause(self) -> str:
        """What holds the second side back, or that nothing does; empty where none stands out."""
        return cause(self)


@dataclass(frozen=True)
class Savings(Result):
    """The rules measured under one set of conditions; `device` in full; `base`: what all rules
    start from, where it is one module."""

    run: RunName
    device: str
    rules: tuple[Saving, ...]
    base: str = ""

    @property
    def conditions(self) -> str:
        """Device, dtype, layout and input shape."""
        r = self.run
        return f"{self.device}, {r.dtype}, {r.layout.upper()}, {r.inputs}"

    @property
    def short_conditions(self) -> str:
        """Device, dtype and layout in a column's header: H200 fp32 NCHW."""
        r = self.run
        return f"{r.device.upper()} {r.dtype} {r.layout.upper()}"

    @property
    def sheet(self) -> Sheet:
        """A row a rule."""
        return sheet_of(self)

    def find(self, name: str) -> Saving:
        """The rule of that name. Raises KeyError."""
        for rule in self.rules:
            if rule.name == name:
                return rule
        raise KeyError(name)
