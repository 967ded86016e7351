"""What a change saves by prediction, and whether that is decided."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from math import fsum
from typing import Literal

from .estimate import Estimate, difference, estimates_sum
from .prediction import Prediction

_Sides = tuple[list[Estimate], list[Estimate]]
_Pairs = list[tuple[Estimate, Estimate]]


@dataclass(frozen=True)
class Saving:
    """Predicted times before and after a change. `apart`: what is saved, where it is known which
    parts are the same on both sides; None takes the errors of both sides as independent."""

    before: Estimate
    after: Estimate
    apart: Estimate | None = None

    @cached_property
    def saved(self) -> Estimate | None:
        """Seconds, negative where the change takes longer; None where one side is a bound."""
        return self.apart or difference(self.before, self.after)

    @property
    def outcome(self) -> Literal["faster", "slower", "not decided"] | None:
        """Which one it is where the 90% interval of `saved` leaves out zero; None of bounds."""
        saved = self.saved
        if saved is None or saved.high is None:
            return None
        if saved.low > 0:
            return "faster"
        return "slower" if saved.high < 0 else "not decided"


def saving_of(before: Prediction, after: Prediction) -> Saving:
    """What one model saves against another. A kernel that both run on the same device is as wrong
    in both: it widens the interval by no more than its own intervals differ, as they do where
    weights stay in the cache in one model alone."""
    first, then = before.total, after.total
    if before.facts != after.facts or first.is_bound or then.is_bound:
        return Saving(first, then)
    rest, common = _paired(before, after)
    apart = difference(
        *(
            estimates_sum(parts, side.correlation)
            for parts, side in zip(rest, (before, after), strict=True)
        )
    )
    return Saving(first, then, apart and _added(apart, common))


def _paired(before: Prediction, after: Prediction) -> tuple[_Sides, _Pairs]:
    """The operations of which one side runs more than the other, and pairs of those that both
    run."""
    by_kernel: dict[Hashable, _Sides] = {}
    for side, prediction in enumerate((before, after)):
        kernels = prediction.kernels or prediction.ops
        for kernel, estimate in zip(kernels, prediction.ops, strict=True):
            by_kernel.setdefault(kernel, ([], []))[side].append(estimate)
    rest: _Sides = ([], [])
    common: _Pairs = []
    for first, then in by_kernel.values():
        both = min(len(first), len(then))
        common += zip(first, then, strict=False)
        rest[0].extend(first[both:])
        rest[1].extend(then[both:])
    return rest, common


def _added(saved: Estimate, common: _Pairs) -> Estimate:
    """What is saved with what kernels that both run save, whose errors are the same."""
    seconds, low, high = [saved.seconds or 0.0], [saved.low], [saved.high or 0.0]
    for first, then in common:
        moved = (first.seconds or 0.0) - (then.seconds or 0.0)
        ends = first.low - then.low, (first.high or 0.0) - (then.high or 0.0)
        seconds.append(moved)
        low.append(min(moved, *ends))
        high.append(max(moved, *ends))
    return Estimate(fsum(low), fsum(seconds), fsum(high), saved.outside)
