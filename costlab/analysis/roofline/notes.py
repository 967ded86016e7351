"""What is said of a roofline, in English."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...tables import Note, measured_note
from ...trace.facts import Sample

if TYPE_CHECKING:
    from .change import TimeChange
    from .closure import Cause, Closure
    from .places import Roofline

_ABOVE = 1.02  # of the ceiling, from which on a block is said to be above it
_CAUSES = {
    "overlap": "operations side by side",
    "side_by_side": "kernels side by side",
    "launch": "launch of the run",
    "other": "kernels of no operation",
    "slower": "slower when profiled",
}
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
    yield from closure(r.sums)
    if r.lost:
        yield (
            f"{1e3 * r.lost:,.3f} ms are in operations that the trace does not have: the model "
            "runs differently when it is timed"
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
    line = (
        "alone: the row's modules one by one, without the work between them; cold: inputs, "
        "weights and outputs rotated so that no cache holds them"
        + (f", blank where they are too small for that ({blank} rows)" if blank else "")
    )
    yield Note(line, "alone, warm", "alone, cold")


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


# --- the parts and the whole ---


def closure(c: Closure) -> Iterator[str]:
    """What a reader must know of the difference between the parts and the whole."""
    if not c.closed:
        known = "" if c.known else "; this trace does not record the kernels' intervals"
        yield f"the parts add up to {c.ratio:.0%} of the whole: {_reason(c)}{known}"
    for cause in c.in_parallel:
        if cause.kind == "side_by_side":
            yield (
                f"{_ms(cause.seconds)} of kernels ran at the same time as others of their "
                "operation (the groups of a convolution, for example); the time of an operation is "
                "that in which at least one of its kernels ran"
            )


def verdict(c: Closure) -> str:
    """The closure row's last cell: empty where parts and whole agree and nothing ran side by
    side; otherwise what the difference is."""
    if c.closed:
        return "; ".join(f"{_cause(x, c)}: {_ms(x.seconds)}" for x in c.in_parallel)
    return f"differs by more than {c.tolerance:.0%}: {_reason(c)}"


def _reason(c: Closure) -> str:
    """What the difference between parts and whole is."""
    if c.known:
        return ", ".join(f"{_cause(x, c)} {_ms(x.seconds)}" for x in c.causes)
    if c.ratio > 1:
        return "kernels side by side, or slower when profiled"
    if c.replayed:
        return "gaps between kernels, or kernels of no operation"
    return "the host's own work between operations"


def _cause(cause: Cause, c: Closure) -> str:
    return gaps(c) if cause.kind == "gaps" else _CAUSES[cause.kind]


def gaps(c: Closure) -> str:
    """What the time is called in which no kernel ran."""
    return "gaps between kernels" if c.replayed else "between operations, on the host"


# --- two measured models ---


def time_change(c: TimeChange) -> str:
    """One sentence: what changed, and whether the time shows it."""
    operations = _saved(c.macs_saved, "fewer", "more")
    text = (
        f"{c.after} has {operations} MACs than {c.before} and takes "
        f"{_saved(c.time_saved, 'less', 'more')} time ({1e3 * c.first.median:,.3f} to "
        f"{_ms(c.second.median)})"
    )
    if c.intervals_meet:
        text += "; the intervals of the two times overlap, so no difference is shown"
    elif c.may_be_drift:
        text += (
            "; the two were measured one after the other, and so small a difference may be drift "
            "between the runs"
        )
    if c.shares_differ:
        text += (
            f": the change of {operations} operations is not one of "
            f"{100 * abs(c.macs_saved):.0f}% in time"
        )
    return text


def _saved(share: float, less: str, more: str) -> str:
    return f"{100 * abs(share):.0f}% {less if share >= 0 else more}"


def _ms(seconds: float) -> str:
    return f"{1e3 * seconds:,.3f} ms"
