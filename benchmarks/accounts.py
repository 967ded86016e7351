"""How right predictions were: errors, coverage, ranks and signs, beside two baselines.

Pure arithmetic on what was measured and predicted, so that it is tested with numbers by hand.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import mean, median

import numpy as np


@dataclass(frozen=True)
class Account:
    """A network, a module or an operation: seconds that were `measured` and `predicted`, with the
    ends of the 90% interval; `flops`, and the seconds of a `roofline` of measured ceilings.
    `outside`: whether the prediction said that it is outside what was measured; `rounds`: the
    seconds of several measurements, the shortest of which is `measured`."""

    name: str
    measured: float
    predicted: float
    low: float
    high: float
    flops: float
    roofline: float
    outside: bool = False
    rounds: tuple[float, ...] = ()

    @property
    def error(self) -> float:
        """Of the prediction, by what was measured."""
        return self.predicted / self.measured - 1

    @property
    def covered(self) -> bool:
        """Whether the interval holds what was measured."""
        return self.low <= self.measured <= self.high


@dataclass(frozen=True)
class Rewritten:
    """A module before and after a rewrite; `low` to `high`: the interval of the seconds saved that
    were predicted."""

    name: str
    before: Account
    after: Account
    low: float
    high: float

    @property
    def measured(self) -> float:
        """The share of the time that was saved."""
        return 1 - self.after.measured / self.before.measured

    @property
    def predicted(self) -> float:
        """The share of the time that a prediction saves."""
        return 1 - self.after.predicted / self.before.predicted

    @property
    def by_flops(self) -> float:
        """The share of the FLOPs."""
        return 1 - self.after.flops / max(self.before.flops, 1.0)

    @property
    def by_roofline(self) -> float:
        """The share of the roofline's time."""
        return 1 - self.after.roofline / self.before.roofline

    @property
    def decided(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low > 0 or self.high < 0

    @property
    def right(self) -> bool:
        """Whether the sign of the prediction is that of what was measured."""
        return (self.predicted > 0) == (self.measured > 0)


def network_lines(accounts: Sequence[Account], what: str) -> Iterator[str]:
    """Median error, 90th percentile, bias and coverage, and those of the baselines."""
    if not accounts:
        return
    errors = [abs(a.error) for a in accounts]
    covered = sum(a.covered for a in accounts)
    inside = [a for a in accounts if not a.outside]
    yield f"{what}: {len(accounts)}, of them {len(accounts) - len(inside)} outside in a part"
    yield (
        f"  costlab      median error {median(errors):6.1%}, 90th percentile "
        f"{percentile(errors, 0.9):6.1%}, bias {median(a.error for a in accounts):+6.1%}"
    )
    for name, values in (
        ("FLOPs alone", [a.flops for a in accounts]),
        ("roofline", [a.roofline for a in accounts]),
    ):
        off = baseline_errors([a.measured for a in accounts], values)
        yield (
            f"  {name:12} median error {median(off):6.1%}, 90th percentile "
            f"{percentile(off, 0.9):6.1%}"
        )
    yield f"  coverage of the 90% intervals {covered / len(accounts):.0%}" + (
        f" (inside {sum(a.covered for a in inside) / len(inside):.0%})" if inside else ""
    )
    widths = [(a.high - a.low) / a.predicted for a in accounts]
    yield f"  median width of an interval {median(widths):.0%} of the prediction"
    ranks = rank_correlation([a.measured for a in accounts], [a.predicted for a in accounts])
    yield f"  rank correlation {ranks:.3f}"


def round_lines(accounts: Sequence[Account]) -> Iterator[str]:
    """How far one measurement of a case is from the others, where there are several, and how right
    predictions are by the mean of all instead of the shortest."""
    several = [a for a in accounts if len(a.rounds) > 1]
    if not several:
        return
    off = [
        abs(r / median(_others(a.rounds, i)) - 1) for a in several for i, r in enumerate(a.rounds)
    ]
    yield (
        f"  one round    is off the median of the others by a median of {median(off):.1%}, "
        f"90th percentile {percentile(off, 0.9):.1%}"
    )
    means = [replace(a, measured=mean(a.rounds)) for a in several]
    errors = [abs(a.error) for a in means]
    yield (
        f"  by the mean  of all rounds: median error {median(errors):.1%}, 90th percentile "
        f"{percentile(errors, 0.9):.1%}, coverage {sum(a.covered for a in means) / len(means):.0%}"
    )


def _others(rounds: Sequence[float], index: int) -> list[float]:
    return [*rounds[:index], *rounds[index + 1 :]]


def speed_lines(accounts: Sequence[Account], slowdown: float | None) -> Iterator[str]:
    """The errors with the speed of the device taken out, as a reference product tells it: it takes
    `slowdown` times as long as while the device was calibrated."""
    if not accounts or slowdown is None:
        return
    yield f"  a reference product takes {slowdown:.2f} times as long as in calibration"
    off = [abs(slowdown * a.predicted / a.measured - 1) for a in accounts]
    covered = sum(a.low <= a.measured / slowdown <= a.high for a in accounts)
    yield (
        f"  that taken out: median error {median(off):.1%}, 90th percentile "
        f"{percentile(off, 0.9):.1%}, coverage {covered / len(accounts):.0%}"
    )


def rewrite_lines(rewrites: Sequence[Rewritten]) -> Iterator[str]:
    """Rank correlation of the time saved, and signs."""
    if len(rewrites) < 2:
        return
    measured = [r.measured for r in rewrites]
    yield f"rewrites: {len(rewrites)}"
    for name, values in (
        ("costlab", [r.predicted for r in rewrites]),
        ("FLOPs alone", [r.by_flops for r in rewrites]),
        ("roofline", [r.by_roofline for r in rewrites]),
    ):
        same = sum((v > 0) == (m > 0) for v, m in zip(values, measured, strict=True))
        yield (
            f"  {name:12} rank correlation of the share saved "
            f"{rank_correlation(measured, values):5.2f}, sign right in {same} of {len(rewrites)}"
        )
    decided = [r for r in rewrites if r.decided]
    wrong = [r.name for r in decided if not r.right]
    right = len(decided) - len(wrong)
    yield f"  where the interval excludes 0: sign right in {right} of {len(decided)}"
    yield from (f"    wrong: {name}" for name in wrong)


def baseline_errors(measured: Sequence[float], values: Sequence[float]) -> list[float]:
    """Relative errors of `values` times the one constant that is best for them: the median ratio,
    taken from the very networks that it is tried on, which is kind to the baseline."""
    pairs = [(m, v) for m, v in zip(measured, values, strict=True) if v > 0]
    constant = median(m / v for m, v in pairs) if pairs else 0.0
    return [abs(constant * v / m - 1) for m, v in zip(measured, values, strict=True)]


def percentile(values: Iterable[float], share: float) -> float:
    """The value that a share of them does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def rank_correlation(a: Sequence[float], b: Sequence[float]) -> float:
    """Spearman's (1904): the correlation of the ranks, equal values sharing their mean rank; 0
    where all of one side are equal."""
    ranks = np.array([_ranks(a), _ranks(b)])
    if ranks[0].std() == 0 or ranks[1].std() == 0:
        return 0.0
    return float(np.corrcoef(ranks)[0, 1])


def _ranks(values: Sequence[float]) -> list[float]:
    ordered = np.sort(values)
    first, last = (np.searchsorted(ordered, values, side) for side in ("left", "right"))
    return list((first + last - 1) / 2)
