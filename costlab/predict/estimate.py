"""A time that was not measured, and how sure it is."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A predicted time, or a bound of it, in seconds.

    Attributes:
        low: the lower end of the 90% interval; of a bound, the least time possible.
        seconds: the predicted time; None where only a bound is known.
        high: the upper end of the 90% interval; None where only a bound is known.
        outside: whether a part lies outside what the profile's device was measured at.
    """

    low: float
    seconds: float | None = None
    high: float | None = None
    outside: bool = False

    @property
    def is_bound(self) -> bool:
        """Whether this is only the least time possible."""
        return self.seconds is None


def estimates_sum(parts: Iterable[Estimate], correlation: float) -> Estimate:
    """The time of parts that run one after the other.

    Args:
        parts: their estimates; one that is a bound makes the sum a bound. Parts that are equal are
            of one kernel, which is as wrong each time: their errors add up.
        correlation: of the errors of two parts that differ, 0 (they cancel) to 1 (they add up).
            The half-width of the sum is sqrt((1 - correlation) * sum of squares + correlation *
            square of the sum) of those of the parts, on each side.

    Raises ValueError for a correlation outside 0 to 1."""
    if not 0 <= correlation <= 1:
        raise ValueError(f"the correlation is {correlation}; give 0 to 1")
    counts = Counter(parts)
    outside = any(p.outside for p in counts)
    times = [
        (n * p.seconds, n * (p.seconds - p.low), n * (p.high - p.seconds))
        for p, n in counts.items()
        if p.seconds is not None and p.high is not None
    ]
    if len(times) < len(counts):
        return Estimate(math.fsum(n * p.low for p, n in counts.items()), outside=outside)
    total = math.fsum(seconds for seconds, _, _ in times)
    below = _together([width for _, width, _ in times], correlation)
    above = _together([width for _, _, width in times], correlation)
    return Estimate(max(0.0, total - below), total, total + above, outside)


def difference(before: Estimate, after: Estimate) -> Estimate | None:
    """Seconds saved: `before` less `after`, with errors taken as independent, which makes the
    interval wide where both share layers. None where one of them is a bound."""
    if before.seconds is None or after.seconds is None:
        return None
    if before.high is None or after.high is None:
        return None
    saved = before.seconds - after.seconds
    below = math.hypot(before.seconds - before.low, after.high - after.seconds)
    above = math.hypot(before.high - before.seconds, after.seconds - after.low)
    return Estimate(saved - below, saved, saved + above, before.outside or after.outside)


def _together(widths: list[float], correlation: float) -> float:
    """The half-width of a sum."""
    apart = math.fsum(w * w for w in widths)
    return math.sqrt((1 - correlation) * apart + correlation * math.fsum(widths) ** 2)
