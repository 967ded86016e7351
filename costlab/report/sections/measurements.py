"""Measured time and memory, where the traces have them."""

from __future__ import annotations

from ...analysis.memory import Memory, memory
from ...analysis.roofline import Roofline, roofline, time_change
from ...render import charts
from ...render.document import Grid, Text
from ...tables import display_name
from ...trace import Trace
from ..context import Context
from ..pieces import Block, chart, cited, listed


def measurements(c: Context) -> list[Block]:
    """A roofline a measured trace, how the traces' times compare, and memory by liveness."""
    measured = [t for t in c.everything if t.measured]
    if not measured:
        return _memory(c.first)
    rooflines = [block for i, t in enumerate(measured) for block in _roofline(t, i)]
    return [*_missing(c), *rooflines, *_compared(c), *_memory(c.first)]


def _missing(c: Context) -> list[Block]:
    names = [display_name(t.provenance["model"]) for t in c.everything if not t.measured]
    return [Text(f"Not measured: {listed(names)}.")] if names else []


def _roofline(trace: Trace, place: int) -> list[Block]:
    ident = "roofline" if place == 0 else f"roofline-{place + 1}"
    r = roofline(trace)
    name = display_name(r.model)
    assert trace.measured is not None
    conditions = trace.measured.conditions
    time = charts.milliseconds(r.total.median)
    where = f"{conditions['device']} ({conditions['dtype']})"
    return [
        cited(f"{name} takes {time} ms on {where}", ident),
        Grid(r.sheet, f"{name}: time in place and what bounds it", f"{ident}-table"),
        chart(
            charts.roofline,
            r,
            id=ident,
            caption=f"{name} under the ceilings of its device",
            alt=f"Roofline: {_spoken(r)}",
        ),
    ]


def _spoken(r: Roofline) -> str:
    return "; ".join(
        f"{p.name} {p.rate / 1e9:,.1f} GFLOP/s at {p.intensity:,.1f} FLOP/byte, {p.bound}-bound"
        for p in r.places
        if p.bound
    )


def _compared(c: Context) -> list[Block]:
    """The time of base and head, then of the first model and each other."""
    pairs = [*([c.review] if c.review else []), *((c.first, t) for t in c.traces[1:])]
    changes = (time_change(before, after) for before, after in pairs)
    return [Text(f"{change}.") for change in changes if change]


def _memory(trace: Trace) -> list[Block]:
    m = memory(trace)
    place = m.place or "the model"
    return [
        cited(
            f"By liveness {display_name(m.model)} holds {m.peak:,} bytes at its peak beyond "
            f"params, buffers and inputs, in {place}",
            "memory",
            _allocated(m),
        ),
        chart(
            charts.memory,
            m,
            id="memory",
            caption="Memory beyond params, buffers and inputs while each operation runs",
            alt=f"Area chart of bytes alive by operation; peak {m.peak:,} bytes in {place}",
        ),
    ]


def _allocated(m: Memory) -> str:
    return "." if m.measured is None else f"; the allocator's peak was {m.measured:,} bytes."
