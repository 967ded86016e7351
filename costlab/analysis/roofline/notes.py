"""What is said of a roofline, in English."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...tables import measured_note
from ...trace.facts import Sample
from .closure import notes as closure_notes

if TYPE_CHECKING:
    from .places import Roofline

_ABOVE = 1.02  # of the ceiling, from which on a block is said to be above it
_WORDS = {
    "sm_mhz": "SM clock {} MHz",
    "memory_mhz": "memory clock {} MHz",
    "watts": "{} W",
    "celsius": "{} C",
    "throttle": "throttle reasons {}",
    "load": "load {}",
}


def describe(r: Roofline) -> Iterator[str]:
    """All notes in order."""
    yield measured_note(r.measured)
    yield _ceilings(r)
    yield from closure_notes(r.sums)
    if r.lost:
        yield (
            f"{1e3 * r.lost:,.3f} ms are in operations that the trace does not have: the model "
            "runs otherwise when it is timed"
        )
    yield from _alone(r)
    yield _launch_bound(r)
    yield from _above(r)
    yield from _whole(r)
    yield from _clocks(r)
    yield from r.measured.conditions.get("notes", ())
    yield from r.caveats


def _ceilings(r: Roofline) -> str:
    product = r.measured.conditions.get("product", "float32")
    return (
        f"ceilings of the device in the same run: {r.peak / 1e9:,.0f} GFLOP/s ({product} matrix "
        f"products), {r.bandwidth / 1e9:,.1f} GB/s (copies); the ridge is at {r.ridge:.1f} "
        "FLOP/byte"
    )


def _alone(r: Roofline) -> Iterator[str]:
    if all(p.warm is None for p in r.places):
        return
    blank = sum(p.warm is not None and p.cold is None for p in r.places)
    yield (
        "alone: the row's modules one by one, without what is done between them; cold: inputs, "
        "weights and outputs rotated past the last cache"
        + (f", blank where they are too small for that ({blank} rows)" if blank else "")
    )


def _launch_bound(r: Roofline) -> str:
    names = [p.name for p in r.places if p.bound == "launch"]
    if not names:
        return "no block is launch-bound"
    return f"launch-bound, the host takes longer than the kernels: {', '.join(names)}"


def _above(r: Roofline) -> Iterator[str]:
    names = [p.name for p in r.places if p.reached and p.reached > _ABOVE]
    if names:
        yield (
            f"above the ceiling: {', '.join(names)}; a cache is faster than the memory that was "
            "measured, and some convolutions multiply less than they count"
        )


def _whole(r: Roofline) -> Iterator[str]:
    if r.eager != r.total:
        yield (
            f"called from Python {1e3 * r.eager.median:,.3f} ms, "
            f"{r.eager.median / r.total.median:.2f} times the kernels alone"
        )
    if r.compiled:
        yield (
            f"compiled by torch.compile and called from Python {1e3 * r.compiled.median:,.3f} ms"
        )
    if "compile" in r.measured.conditions:
        yield f"torch.compile {r.measured.conditions['compile']}"


def _clocks(r: Roofline) -> Iterator[str]:
    c = r.measured.conditions
    before = c.get("clocks before")
    if not before:
        return
    dropped = c.get("blocks thrown away")
    kept = (
        "no block was steady, so all are kept"
        if dropped is None
        else f"{dropped} blocks thrown away, because the clock moved"
    )
    yield (
        f"before: {_sample(before)}; after: {_sample(c.get('clocks after', {}))}"
        + (f"; {kept}" if "sm_mhz" in before else "")
    )
    if before.get("load", 0) > (c.get("cores") or math.inf) / 2:
        yield "the machine was busy with other work: times are too long"


def _sample(sample: Sample) -> str:
    said = (_WORDS.get(name, f"{name} {{}}").format(value) for name, value in sample.items())
    return ", ".join(said) or "not known"
