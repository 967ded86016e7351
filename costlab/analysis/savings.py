"""What a change of a module saves in multiply-adds, and what it saves in measured time.

Both sides of a rule are measured traces of the same device, dtype, layout and input. Time is that
of the whole module without the host's work.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from ..cost import total
from ..measure.naming import RunName
from ..measure.runs import Run
from ..tables import Column, Sheet
from ..trace import Measured, Timing, Trace
from ._savings_notes import change_in_time, notes, reason
from .factorize import RULES, slug
from .grid import schemes

DRIFT = 0.03  # share of the time by which two runs apart may differ for no reason, as in roofline


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


@dataclass(frozen=True)
class Savings:
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

    @cached_property
    def sheet(self) -> Sheet:
        """A row a rule."""
        rows = tuple(_row(self, rule) for rule in self.rules)
        return Sheet(f"measured: {self.conditions}", _COLUMNS, rows, notes(self))

    def find(self, name: str) -> Saving:
        """The rule of that name. Raises KeyError."""
        return next((r for r in self.rules if r.name == name), None) or _unknown(name)


_COLUMNS = (
    Column("rule"),
    Column("MACs saved", "%", format=".1%"),
    Column("time saved", "%", format=".1%"),
    Column("interval"),
    Column("before", "ms", format=",.4f"),
    Column("after", "ms", format=",.4f"),
    Column("ceiling before", "%", format=".0%"),
    Column("ceiling after", "%", format=".0%"),
    Column("verdict"),
)


def _row(savings: Savings, rule: Saving) -> dict:
    low, high = rule.interval
    return {
        "rule": rule.name,
        "MACs saved": rule.macs_saved,
        "time saved": rule.time_saved,
        "interval": f"{100 * low:.1f}% to {100 * high:.1f}%",
        "before": 1e3 * rule.before.time.median,
        "after": 1e3 * rule.after.time.median,
        "ceiling before": rule.before.reached,
        "ceiling after": rule.after.reached,
        "verdict": change_in_time(rule),
    }


def _unknown(name: str) -> Saving:
    raise KeyError(name)


def factorization_savings(runs: Iterable[Run]) -> tuple[Savings, ...]:
    """The rules of factorization, for each set of conditions that has both sides."""
    return _by_conditions(runs, [(name, *slug(name)) for _, _, name in RULES])


def grid_savings(runs: Iterable[Run]) -> tuple[Savings, ...]:
    """The grid-reduction schemes against convolution then pool, for each set of conditions."""
    names = [name for name, _ in schemes(35, 320, 640)]
    base = names[1]
    pairs = [(name, slug(base)[0], slug(name)[0]) for name in names if name != base]
    return _by_conditions(runs, pairs, base)


def joined_sheet(found: Iterable[Savings]) -> Sheet:
    """The rules of all conditions in one sheet: a row a rule and set of conditions."""
    found = tuple(found)
    rows = tuple({"conditions": s.conditions, **row} for s in found for row in s.sheet.rows)
    said = tuple(dict.fromkeys(note for s in found for note in s.sheet.notes))
    return Sheet("MACs and time saved", (Column("conditions"), *_COLUMNS), rows, said)


def _by_conditions(
    runs: Iterable[Run], pairs: list[tuple[str, str, str]], base: str = ""
) -> tuple[Savings, ...]:
    runs = tuple(runs)
    groups: dict[tuple, dict[str, Run]] = {}
    for run in runs:
        groups.setdefault((*run.conditions, run.name.inputs), {})[run.name.model] = run
    found = []
    for group in groups.values():
        rules = tuple(_measured(group, pairs))
        if rules:
            some = next(iter(group.values()))
            device = _measurement(some.trace).conditions["device"]
            found.append(Savings(some.name, device, rules, base))
    return tuple(found)


def _measured(group: dict[str, Run], pairs: list[tuple[str, str, str]]) -> Iterator[Saving]:
    for name, before, after in pairs:
        if before in group and after in group:
            yield Saving(name, side(group[before].trace), side(group[after].trace))


def _measurement(trace: Trace) -> Measured:
    if trace.measured is None:
        raise ValueError(f"{trace.provenance['model']} was not measured")
    return trace.measured


def side(trace: Trace) -> Side:
    """What a measured trace says of one side. Raises ValueError for one that was not measured."""
    m, cost = _measurement(trace), total(trace)
    peak = m.ceilings.get(m.conditions.get("product"), m.ceilings["float32"])
    bandwidth = m.ceilings["bandwidth"]
    counted = memory_bound = uncounted = 0.0
    flops = moved = 0
    for o in m.ops:
        work = total(trace, [trace.ops[o.of]]) if o.of >= 0 else None
        if work is None or not work.macs:
            uncounted += o.seconds
            continue
        counted += o.seconds
        flops, moved = flops + work.flops, moved + o.bytes
        if work.flops / o.bytes < peak / bandwidth:
            memory_bound += o.seconds
    return Side(
        macs=cost.macs,
        flops=cost.flops,
        time=m.total,
        peak=peak,
        bandwidth=bandwidth,
        steps=sum(1 for o in m.ops if o.seconds),
        counted=counted,
        memory_bound=memory_bound,
        uncounted=uncounted + m.other,
        intensity=flops / moved if moved else 0.0,
    )
