"""What a change of multiply-adds did to the time."""

from __future__ import annotations

from dataclasses import dataclass

from ...cost import total
from ...trace import Timing, Trace

DRIFT = 0.03  # share of the time by which two runs apart may differ for no reason
_NOTABLE = 0.05  # a difference of the two shares that is worth a word
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


def against(before: Trace, after: Trace) -> str | None:
    """`time_change` in plain words."""
    change = time_change(before, after)
    return describe(change) if change else None


def describe(c: TimeChange) -> str:
    """One sentence: what changed, and whether the time shows it."""
    text = (
        f"{c.after} has {_share(c.macs_saved, 'fewer', 'more')} MACs than {c.before} and takes "
        f"{_share(c.time_saved, 'less', 'more')} time ({1e3 * c.first.median:,.3f} to "
        f"{1e3 * c.second.median:,.3f} ms)"
    )
    if c.intervals_meet:
        text += "; the intervals of the two times meet, so no difference is shown"
    elif abs(c.time_saved) < DRIFT:
        text += (
            "; the two were measured one after the other, and so small a difference may be drift "
            "between the runs"
        )
    if abs(c.macs_saved - c.time_saved) > _NOTABLE:
        text += (
            f": the change of {_share(c.macs_saved, 'fewer', 'more')} operations is not one of "
            f"{100 * abs(c.macs_saved):.0f}% in time"
        )
    return text


def _share(share: float, less: str, more: str) -> str:
    return f"{100 * abs(share):.0f}% {less if share >= 0 else more}"
