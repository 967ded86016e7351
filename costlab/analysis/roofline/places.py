"""The blocks of a measured run under the ceilings of its device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import Any

from ..._pictures import Chart, chart
from ..._result import Charted
from ...cost import total
from ...tables import Column, Sheet, caveats, table
from ...trace import Measured, ModuleTime, Op, Timing, Trace
from . import notes
from .closure import Closure, closure


@dataclass(frozen=True)
class Place:
    """A row of the network's table.

    `seconds` in place and `share` of all blocks; `macs` multiply-adds and `flops`; `moved` bytes
    that its operations read and wrote as they ran; `host` seconds to issue its modules; `warm` and
    `cold` seconds of its modules alone (None: not measured). `bound`: "compute", "memory", or
    "launch" where the host takes longer than the kernels; `reached`: of the ceiling at its
    intensity, 0 to 1 (None: no arithmetic, no bytes)."""

    id: str
    name: str
    seconds: float
    share: float
    macs: int
    flops: int
    moved: int
    host: float
    warm: float | None
    cold: float | None
    bound: str
    reached: float | None

    @property
    def intensity(self) -> float:
        """FLOPs a byte."""
        return self.flops / self.moved if self.moved else 0.0

    @property
    def rate(self) -> float:
        """FLOP/s reached."""
        return self.flops / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class Roofline(Charted):
    """A measured run. `peak` FLOP/s and `bandwidth` bytes/s, measured on the same device in the
    same run; `sums`: what the parts add up to; `lost`: seconds of operations that the trace does
    not have, which are among the parts; `caveats`: notes on how the model was built and traced."""

    model: str
    places: tuple[Place, ...]
    measured: Measured
    peak: float
    bandwidth: float
    sums: Closure
    lost: float = 0.0
    caveats: tuple[str, ...] = ()

    chart_kind = "roofline"

    def chart(self, after: Roofline | None = None) -> Chart:
        """The roofline; with `after`, arrows to the blocks of a second one."""
        return chart(self.chart_kind, self, after, numbers=self.sheet)

    @property
    def total(self) -> Timing:
        """The whole model, without the host's work where possible."""
        return self.measured.total

    @property
    def eager(self) -> Timing:
        """The whole model called from Python."""
        return self.measured.eager

    @property
    def compiled(self) -> Timing | None:
        """The whole model by torch.compile, where asked for."""
        return self.measured.compiled

    @property
    def ridge(self) -> float:
        """FLOPs a byte from which on arithmetic is the limit."""
        return self.peak / self.bandwidth

    @property
    def closure(self) -> float:
        """What the operations in place and other kernels add up to, by the whole."""
        return self.sums.ratio

    @property
    def closed(self) -> bool:
        """Whether parts and whole agree to 5%."""
        return self.sums.closed

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """Notes on the numbers, and on how they were measured."""
        return tuple(notes.describe(self))

    @property
    def sheet(self) -> Sheet:
        """A row a block, then the closure."""
        columns = (
            Column("block"),
            Column("time", "ms", format=",.3f"),
            Column("share", "%", format=".1%"),
            Column("alone, warm", "ms", format=",.3f"),
            Column("alone, cold", "ms", format=",.3f"),
            Column("intensity", "FLOP/byte", format=",.1f", importance=4),
            Column("rate", "GFLOP/s", format=",.1f", importance=3),
            Column("bound"),
            Column("of the ceiling", "%", format=".0%"),
        )
        return Sheet(
            f"{self.model}: time and roofline",
            columns,
            (*map(_cells, self.places), *self._sums()),
            self.notes,
            {"block": "the whole model", "time": _ms(self.total.median)},
            facts={
                "ceiling FLOP/s": self.peak,
                "ceiling bytes/s": self.bandwidth,
                "closure": self.closure,
            },
        )

    def _sums(self) -> list[dict[str, Any]]:
        """The rows below the blocks: other kernels, the closure, the gaps."""
        rows: list[dict[str, Any]] = []
        if self.sums.other:
            rows.append({"block": "kernels of no operation", "time": _ms(self.sums.other)})
        if self.lost:
            name = "operations that the trace does not have"
            rows.append({"block": name, "time": _ms(self.lost)})
        rows.append(
            {
                "block": "closure (all parts)",
                "time": _ms(self.sums.parts),
                "share": self.closure,
                "bound": notes.verdict(self.sums),
            }
        )
        if self.sums.gaps is not None:
            rows.append(
                {
                    "block": notes.gaps(self.sums),
                    "time": _ms(self.sums.gaps),
                    "share": self.sums.gaps / self.sums.whole,
                }
            )
        return rows


def roofline(trace: Trace, style: str = "auto", depth: int | None = None) -> Roofline:
    """The roofline of a measured trace by the rows of its table. Raises ValueError for a trace
    without measurements."""
    m = trace.measured
    if not m:
        raise ValueError(f"{trace.provenance['model']} was not measured; trace it with --measure")
    rows = table(trace, style, "macs", depth)
    peak = m.ceilings.get(m.conditions.get("product", ""), m.ceilings["float32"])
    run = _Run(
        trace, m, peak, m.ceilings["bandwidth"], sum(r.seconds or 0.0 for r in rows.rows) or 1.0
    )
    return Roofline(
        rows.title,
        tuple(run.place(r.id, r.name, r.seconds or 0.0, r.ops) for r in rows.rows),
        m,
        peak,
        m.ceilings["bandwidth"],
        closure(m),
        sum(o.seconds for o in m.ops if o.of < 0),
        caveats(trace),
    )


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else 1e3 * seconds


def _cells(p: Place) -> dict[str, Any]:
    return {
        "block": p.name,
        "time": _ms(p.seconds),
        "share": p.share,
        "alone, warm": _ms(p.warm),
        "alone, cold": _ms(p.cold),
        "intensity": p.intensity or None,
        "rate": p.rate / 1e9 or None,
        "bound": p.bound,
        "of the ceiling": p.reached,
    }


@dataclass(frozen=True)
class _Run:
    """A measured trace, and what its rows are measured against. `whole`: seconds of all rows."""

    trace: Trace
    measured: Measured
    peak: float
    bandwidth: float
    whole: float

    @cached_property
    def moved(self) -> list[int]:
        """Bytes that each traced operation read and wrote as it ran."""
        found = [0] * len(self.trace.ops)
        for o in self.measured.ops:
            if o.of >= 0:
                found[o.of] += o.bytes
        return found

    @cached_property
    def ran(self) -> set[int]:
        """The traced operations that took time."""
        return {o.of for o in self.measured.ops if o.of >= 0 and o.seconds}

    @cached_property
    def alone(self) -> dict[tuple[str, int], ModuleTime]:
        """Times of module calls alone."""
        return {(t.path, t.call): t for t in self.measured.modules}

    @cached_property
    def seconds_to_issue(self) -> float:
        """What the host takes for a module, in the middle."""
        return median([x.host for x in self.measured.modules] or [0.0])

    def place(self, id: str, name: str, seconds: float, indices: Sequence[int]) -> Place:
        """One row under the ceilings."""
        ops = [self.trace.ops[i] for i in indices]
        cost, moved = total(self.trace, ops), sum(self.moved[i] for i in indices)
        times = self._modules_alone(ops)
        host = self._host_seconds(times, indices)
        cold = [x.cold.median for x in times if x.cold]
        return Place(
            id,
            name,
            seconds,
            seconds / self.whole,
            cost.macs,
            cost.flops,
            moved,
            host,
            sum(x.warm.median for x in times) if times else None,
            sum(cold) if times and len(cold) == len(times) else None,
            self._bound(seconds, cost.flops, moved, host),
            self._reached(seconds, cost.flops, moved),
        )

    def _modules_alone(self, ops: Sequence[Op]) -> list[ModuleTime]:
        calls = dict.fromkeys((op.module, op.call) for op in ops)  # in order, so sums are the same
        return [self.alone[c] for c in calls if c in self.alone]

    def _host_seconds(self, times: Sequence[ModuleTime], indices: Sequence[int]) -> float:
        """Seconds to issue a row. One of functional calls has no module that was timed: as long
        an operation as elsewhere."""
        if times:
            return sum(x.host for x in times)
        return self.seconds_to_issue * len(self.ran.intersection(indices))

    def _bound(self, seconds: float, flops: int, moved: int, host: float) -> str:
        if not seconds or not moved:
            return ""
        if host > seconds:
            return "launch"
        return "compute" if flops / moved >= self.peak / self.bandwidth else "memory"

    def _reached(self, seconds: float, flops: int, moved: int) -> float | None:
        """The share of the ceiling: of FLOP/s at the row's intensity, or of bytes/s where it has
        no arithmetic."""
        if not seconds or not moved:
            return None
        if not flops:
            return moved / seconds / self.bandwidth
        return flops / seconds / min(self.peak, flops / moved * self.bandwidth)
