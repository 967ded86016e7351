"""A measured run as a Chrome trace, which ui.perfetto.dev and chrome://tracing open.

Format: the JSON array of Google's "Trace Event Format": complete events (`"ph": "X"`) with `ts` and
`dur` in microseconds, and metadata events (`"ph": "M"`). Slices of one thread nest by time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ...trace.record import Measured, Op, Trace
from .values import work_of

_THREAD = {"pid": 1, "tid": 1}
_NANOSECONDS = 10**9  # a second: integers, so that slices nest exactly


@dataclass
class _Slice:
    """A slice: nanoseconds of `start` and `end`, bytes that were read and written as it ran, and
    the operations in it, by their indices."""

    name: str
    category: str
    start: int
    end: int = 0
    bytes: int = 0
    ops: set[int] = field(default_factory=set)
    facts: dict[str, str] = field(default_factory=dict)


def perfetto(trace: Trace, value: str = "") -> str:
    """The operations that took time, one after the other, inside slices of their modules.

    Time in which no operation ran is left out: operations were measured one by one, and their
    durations add up to their total. Raises ValueError for a trace that was not measured."""
    measured = trace.measured
    if measured is None:
        raise ValueError(
            f"{trace.provenance['model']} was not measured, so there are no times to show; "
            "trace it with costlab trace MODEL --measure -o FILE"
        )
    slices = list(_slices(trace, measured))
    events = [*_names(trace, measured), *(_event(trace, measured, s) for s in slices)]
    return "[\n" + ",\n".join(json.dumps(event) for event in events) + "\n]\n"


def _names(trace: Trace, measured: Measured) -> Iterator[dict[str, Any]]:
    """What the process and the thread are called, with the conditions of the measurement."""
    where = measured.conditions
    model = f"{trace.provenance['model']} on {where['device']}, {where['dtype']}, {where['layout']}"
    note = {"whole model (us)": 1e6 * measured.total.median, "method": where["method"]}
    yield {"ph": "M", "name": "process_name", **_THREAD, "args": {"name": model, **note}}
    yield {"ph": "M", "name": "thread_name", **_THREAD, "args": {"name": "operations in place"}}


def _slices(trace: Trace, measured: Measured) -> Iterator[_Slice]:
    """The model, its modules and their operations, each before what is inside it."""
    found = [_Slice(trace.provenance["model"], "model", 0)]
    opened: list[tuple[tuple[Any, ...], _Slice]] = [((), found[0])]
    elapsed = 0.0
    for run in measured.ops:
        now = round(elapsed * _NANOSECONDS)
        elapsed += run.seconds
        end = round(elapsed * _NANOSECONDS)
        if end == now:
            continue
        op = trace.ops[run.of] if run.of >= 0 else None
        levels = _levels(op)
        shared = _shared([key for key, _ in opened[1:]], levels)
        del opened[1 + shared :]
        for key in levels[shared:]:
            opened.append((key, _Slice(key[0], "module", now)))
            found.append(opened[-1][1])
        own = _Slice(run.name.removeprefix("aten."), "operation", now, facts=_facts(op))
        found.append(own)
        for part in (*(s for _, s in opened), own):
            part.end = end
            part.bytes += run.bytes
            part.ops |= {run.of} - {-1}
    yield from found


def _levels(op: Op | None) -> list[tuple[Any, ...]]:
    """The modules that are open while an operation runs, outermost first: path, and of the
    innermost which call it is."""
    parts = op.module.split(".") if op and op.module else []
    paths = [".".join(parts[: i + 1]) for i in range(len(parts))]
    return [(p, op.call) if op and p == op.module else (p,) for p in paths]


def _shared(before: list[tuple[Any, ...]], now: list[tuple[Any, ...]]) -> int:
    """How many levels are open in both; another call of the same module is not the same."""
    same = 0
    for a, b in zip(before, now, strict=False):
        if a[0] != b[0] or (len(a) == len(b) == 2 and a != b):
            break
        same += 1
    return same


def _facts(op: Op | None) -> dict[str, str]:
    """Where an operation is."""
    if op is None:
        return {}
    return {"module": op.module, **({"source": str(op.source)} if op.source else {})}


def _event(trace: Trace, measured: Measured, piece: _Slice) -> dict[str, Any]:
    seconds = (piece.end - piece.start) / _NANOSECONDS
    work = work_of(trace, piece.ops)
    facts = {
        "MACs": work.macs,
        "FLOPs": work.flops,
        "bytes": piece.bytes,
        "share of the time (%)": round(100 * seconds / sum(op.seconds for op in measured.ops), 3),
        "achieved FLOP/s": work.rate or 0.0,
        **piece.facts,
    }
    return {
        "ph": "X",
        "name": piece.name,
        "cat": piece.category,
        "ts": piece.start / 1e3,
        "dur": (piece.end - piece.start) / 1e3,
        **_THREAD,
        "args": facts,
    }
