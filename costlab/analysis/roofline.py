"""What a measured run reached of what its device can do (Williams, Waterman, Patterson 2009: the roofline), block by block."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from ..cost import total
from ..tables import Column, Sheet, measured_note, table
from ..trace import Timing, Trace
from . import closure as closures
from .closure import Closure, closure

DRIFT = 0.03  # share of the time by which two runs apart may differ for no reason


@dataclass(frozen=True)
class Place:
    """A row of the network's table: `seconds` in place, `flops`, `macs` multiply-adds, `moved` bytes read and written by its operations as they
    ran, `host` seconds to issue its modules, `warm` and `cold` seconds of its modules alone (None: not measured). `bound`: "compute", "memory"
    or "launch", where the host takes longer than the kernels; `reached`: of the ceiling at its intensity, 0 to 1 (None: no arithmetic, no bytes)."""

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
class Roofline:
    """A measured run. `peak` FLOP/s and `bandwidth` bytes/s, measured on the same device in the
    same run; `sums`: what the parts add up to; `lost`: seconds of operations that the trace does
    not have, which are among the parts."""

    model: str
    places: tuple[Place, ...]
    total: Timing
    eager: Timing
    compiled: Timing | None
    peak: float
    bandwidth: float
    sums: Closure
    notes: tuple[str, ...]
    lost: float = 0.0

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

    @property
    def sheet(self) -> Sheet:
        """A row a block, then the closure."""
        ms = lambda v: None if v is None else 1e3 * v  # noqa: E731
        columns = (
            Column("block"),
            Column("time", "ms", format=",.3f"),
            Column("share", "%", format=".1%"),
            Column("alone, warm", "ms", format=",.3f"),
            Column("alone, cold", "ms", format=",.3f"),
            Column("intensity", "FLOP/byte", format=",.1f"),
            Column("rate", "GFLOP/s", format=",.1f"),
            Column("bound"),
            Column("of the ceiling", "%", format=".0%"),
        )
        rows = [
            {
                "block": p.name,
                "time": ms(p.seconds),
                "share": p.share,
                "alone, warm": ms(p.warm),
                "alone, cold": ms(p.cold),
                "intensity": p.intensity or None,
                "rate": p.rate / 1e9 or None,
                "bound": p.bound,
                "of the ceiling": p.reached,
            }
            for p in self.places
        ]
        rows += self._sums()
        return Sheet(
            f"{self.model}: time and roofline",
            columns,
            tuple(rows),
            self.notes,
            {"block": "the whole model", "time": ms(self.total.median)},
            facts={
                "ceiling FLOP/s": self.peak,
                "ceiling bytes/s": self.bandwidth,
                "closure": self.closure,
            },
        )

    def _sums(self) -> list[dict]:
        """The rows below the blocks: other kernels, the closure, the gaps."""
        ms = lambda v: 1e3 * v  # noqa: E731 a local word
        rows = []
        if self.sums.other:
            rows.append({"block": "kernels of no operation", "time": ms(self.sums.other)})
        if self.lost:
            rows.append({"block": "operations that the trace does not have", "time": ms(self.lost)})
        rows.append(
            {
                "block": "closure: the parts together",
                "time": ms(self.sums.parts),
                "share": self.closure,
                "bound": closures.verdict(self.sums),
            }
        )
        if self.sums.gaps is not None:
            rows.append(
                {
                    "block": "gaps between kernels"
                    if self.sums.replayed
                    else "between operations, on the host",
                    "time": ms(self.sums.gaps),
                    "share": self.sums.gaps / self.sums.whole,
                }
            )
        return rows


def roofline(trace: Trace, style: str = "auto", depth: int | None = None) -> Roofline:
    """The roofline of a measured trace by the rows of its table. Raises ValueError for a trace without measurements."""
    m = trace.measured
    if not m:
        raise ValueError(f"{trace.provenance['model']} was not measured; trace it with --measure")
    peak, bandwidth = (
        m.ceilings.get(m.conditions.get("product"), m.ceilings["float32"]),
        m.ceilings["bandwidth"],
    )
    moved, lost = [0] * len(trace.ops), sum(o.seconds for o in m.ops if o.of < 0)
    for o in m.ops:
        if o.of >= 0:
            moved[o.of] += o.bytes
    alone = {(t.path, t.call): t for t in m.modules}
    took, op_index = [0.0] * len(trace.ops), {id(op): i for i, op in enumerate(trace.ops)}
    for o in m.ops:
        if o.of >= 0:
            took[o.of] += o.seconds
    an_op = median([x.host for x in m.modules] or [0.0])
    t = table(trace, style, "macs", depth)
    whole = sum(r.seconds for r in t.rows) or 1.0
    places = []
    for r in t.rows:
        ops = [trace.ops[i] for i in r.ops]
        cost, bytes_ = total(trace, ops), sum(moved[i] for i in r.ops)
        calls = {(op.module, op.call) for op in ops}
        times = [alone[c] for c in calls if c in alone]
        # a row of functional calls has no module to time alone: as long an operation as elsewhere
        host = (
            sum(x.host for x in times)
            if times
            else an_op * sum(1 for op in ops if took[op_index[id(op)]])
        )
        warm = sum(x.warm.median for x in times) if times else None
        cold = sum(x.cold.median for x in times) if times and all(x.cold for x in times) else None
        ceiling = min(peak, cost.flops / bytes_ * bandwidth) if bytes_ and cost.flops else 0.0
        reached = (
            cost.flops / r.seconds / ceiling
            if ceiling and r.seconds
            else bytes_ / r.seconds / bandwidth
            if bytes_ and r.seconds
            else None
        )
        bound = (
            ""
            if not r.seconds or not bytes_
            else "launch"
            if host > r.seconds
            else "compute"
            if cost.flops / bytes_ >= peak / bandwidth
            else "memory"
        )
        places.append(
            Place(
                r.id,
                r.name,
                r.seconds,
                r.seconds / whole,
                cost.macs,
                cost.flops,
                bytes_,
                host,
                warm,
                cold,
                bound,
                reached,
            )
        )
    sums = closure(m)
    over = [p.name for p in places if p.reached and p.reached > 1.02]
    issued = [p.name for p in places if p.bound == "launch"]
    c, notes = m.conditions, [measured_note(m)]
    notes.append(
        f"ceilings of the device in the same run: {peak / 1e9:,.0f} GFLOP/s ({c.get('product', 'float32')} matrix products), {bandwidth / 1e9:,.1f} GB/s (copies); "
        f"the ridge is at {peak / bandwidth:.1f} FLOP/byte"
    )
    notes += closures.notes(sums)
    if lost:
        notes.append(
            f"{1e3 * lost:,.3f} ms are in operations that the trace does not have: the model runs otherwise when it is timed"
        )
    if any(p.warm is not None for p in places):
        few = [p.name for p in places if p.warm is not None and p.cold is None]
        notes.append(
            "alone: the row's modules one by one, without what is done between them; cold: inputs, weights and outputs rotated past the last cache"
            + (f", blank where they are too small for that ({len(few)} rows)" if few else "")
        )
    notes.append(
        f"launch-bound, the host takes longer than the kernels: {', '.join(issued)}"
        if issued
        else "no block is launch-bound"
    )
    if over:
        notes.append(
            f"above the ceiling: {', '.join(over)}; a cache is faster than the memory that was measured, and some convolutions multiply less than they count"
        )
    if m.eager != m.total:
        notes.append(
            f"called from Python {1e3 * m.eager.median:,.3f} ms, {m.eager.median / m.total.median:.2f} times the kernels alone"
        )
    if m.compiled:
        notes.append(
            f"compiled by torch.compile and called from Python {1e3 * m.compiled.median:,.3f} ms"
        )
    if "compile" in c:
        notes.append(f"torch.compile {c['compile']}")
    if c.get("clocks before"):
        thrown = c.get("blocks thrown away")
        kept = (
            "; no block was steady, so all are kept"
            if thrown is None
            else f"; {thrown} blocks thrown away, because the clock moved"
        )
        notes.append(
            f"before: {_conditions(c['clocks before'])}; after: {_conditions(c['clocks after'])}"
            + (kept if "sm_mhz" in c["clocks before"] else "")
        )
        if c["clocks before"].get("load", 0) > c.get("cores", 1e9) / 2:
            notes.append("the machine was busy with other work: times are too long")
    return Roofline(
        t.title,
        tuple(places),
        m.total,
        m.eager,
        m.compiled,
        peak,
        bandwidth,
        sums,
        tuple(notes),
        lost,
    )


_WORDS = {
    "sm_mhz": "SM clock {} MHz",
    "memory_mhz": "memory clock {} MHz",
    "watts": "{} W",
    "celsius": "{} C",
    "throttle": "throttle reasons {}",
    "load": "load {}",
}


def _conditions(sample: dict) -> str:
    return ", ".join(_WORDS.get(k, k + " {}").format(v) for k, v in sample.items()) or "not known"


def against(before: Trace, after: Trace) -> str | None:
    """What a change of MACs did to the time, in plain words; None where one was not measured, or elsewhere than the other."""
    a, b = before.measured, after.measured
    if (
        not a
        or not b
        or any(a.conditions.get(k) != b.conditions.get(k) for k in ("device", "dtype", "layout"))
    ):
        return None
    names = [t.provenance["model"] for t in (before, after)]
    fewer = 1 - total(after).macs / total(before).macs if total(before).macs else 0.0
    less = 1 - b.total.median / a.total.median
    say = lambda share, down, up: f"{100 * abs(share):.0f}% {down if share >= 0 else up}"  # noqa: E731
    text = f"{names[1]} has {say(fewer, 'fewer', 'more')} MACs than {names[0]} and takes {say(less, 'less', 'more')} time ({1e3 * a.total.median:,.3f} to {1e3 * b.total.median:,.3f} ms)"
    if not (a.total.high < b.total.low or b.total.high < a.total.low):
        text += "; the intervals of the two times meet, so no difference is shown"
    elif abs(less) < DRIFT:
        text += "; the two were measured one after the other, and so small a difference may be drift between the runs"
    if abs(fewer - less) > 0.05:
        text += f": the change of {say(fewer, 'fewer', 'more')} operations is not one of {100 * abs(fewer):.0f}% in time"
    return text
