"""What a change of multiply-adds did to the time."""

from __future__ import annotations

from dataclasses import dataclass

from ...cost import total
from ...trace import Timing, Trace
from . import notes

DRIFT = 0.03  # share of the time by which two runs apart may differ for no reason
NOTABLE = 0.05  # by which the shares of MACs and time differ where that is worth a word
_SAME = ("device", "dtype", "layout")


@dataclass(frozen=True)
class TimeChange:
    """Two measured models: shares of the first's MACs and time that the second saves (negative:
    it takes more), and both times."""

    before: str
    after: str
    macs_saved: float
    first: Timing
    second: Timing

    @property
    def time_saved(self) -> float:
        """The share of the first's time."""
        return 1 - self.second.median / self.first.median

    @property
    def intervals_meet(self) -> bool:
        """Whether the two times may be one."""
        return not (self.first.high < self.second.low or self.second.high < self.first.low)

    @property
    def may_be_drift(self) -> bool:
        """Whether two runs of one model may differ as much."""
        return abs(self.time_saved) < DRIFT

    @property
    def shares_differ(self) -> bool:
        """Whether the share of the time is not that of the MACs."""
        return abs(self.macs_saved - self.time_saved) > NOTABLE

    def __str__(self) -> str:
        return notes.time_change(self)


def time_change(before: Trace, after: Trace) -> TimeChange | None:
    """The change from one model to another; None where one was not measured, or elsewhere than
    the other."""
    a, b = before.measured, after.measured
    if not a or not b or any(a.conditions.get(k) != b.conditions.get(k) for k in _SAME):
        return None
    macs = total(before).macs
    saved = 1 - total(after).macs / macs if macs else 0.0
    first, second = (t.provenance["model"] for t in (before, after))
    return TimeChange(first, second, saved, a.total, b.total)
