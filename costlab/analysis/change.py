"""What changed between two versions of a model, block by block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any, Generic, NamedTuple, TypeVar

from .._result import Charted
from ..graph import layer_graph
from ..tables import Column, Row, Sheet, Table, caveats, choose_style, opened, table
from ..trace import Op, Trace
from . import notes

_T = TypeVar("_T")
_U = TypeVar("_U")


class Sides(NamedTuple, Generic[_T]):
    """The same of base and of head."""

    base: _T
    head: _T

    def map(self, function: Callable[[_T], _U]) -> Sides[_U]:
        """`function` of each."""
        return Sides(function(self.base), function(self.head))


@dataclass(frozen=True)
class Step:
    """A block of base, head or both.

    Attributes:
        what: equal, changed, added or removed.
        params: elements, 0 where the block is not there.
        macs: multiply-adds, 0 where the block is not there.
        cells: what differs, in words.
        seconds: measured in place; None where base or head is not measured.
    """

    name: str
    what: str
    params: Sides[int]
    macs: Sides[int]
    cells: str
    seconds: Sides[float] | None = None


@dataclass(frozen=True)
class Change(Charted):
    """Base and head by name, all steps in order, and totals.

    Attributes:
        params: elements.
        macs: multiply-adds.
        seconds: of the operations in place; None where base or head is not measured.
        caveats: what a reader must know of how they were built and traced.
    """

    base: str
    head: str
    steps: tuple[Step, ...]
    params: Sides[int]
    macs: Sides[int]
    seconds: Sides[float] | None = None
    caveats: tuple[str, ...] = ()

    chart_kind = "waterfall"

    @property
    def sheet(self) -> Sheet:
        """A row a block that differs."""
        differing = [s for s in self.steps if s.what != "equal"]
        rows = tuple(
            {
                "block": s.name,
                "what": s.what,
                **_figures(s.params, s.macs, s.seconds),
                "cells": s.cells,
            }
            for s in differing
        )
        return Sheet(
            f"{self.base} to {self.head}",
            (*_BLOCK, *_COUNTS, *(_TIMES if self.seconds else ()), Column("cells")),
            rows,
            (*notes.changes(equal=len(self.steps) - len(differing)), *self.caveats),
            _figures(self.params, self.macs, self.seconds),
        )


_BLOCK = (Column("block"), Column("what"))
_COUNTS = (
    Column("params base", "params"),
    Column("params head", "params"),
    Column("params change", "params", format="+,d"),
    Column("MACs base", "MACs"),
    Column("MACs head", "MACs"),
    Column("MACs change", "MACs", format="+,d"),
)
_TIMES = (Column("time base", "ms", format=",.3f"), Column("time head", "ms", format=",.3f"))


def _figures(
    params: Sides[int], macs: Sides[int], seconds: Sides[float] | None
) -> dict[str, int | float]:
    """The cells of `_COUNTS` and, where measured, of `_TIMES`."""
    cells: dict[str, int | float] = {
        "params base": params.base,
        "params head": params.head,
        "params change": params.head - params.base,
        "MACs base": macs.base,
        "MACs head": macs.head,
        "MACs change": macs.head - macs.base,
    }
    if seconds:
        cells |= {"time base": 1e3 * seconds.base, "time head": 1e3 * seconds.head}
    return cells


def change(base: Trace, head: Trace, style: str = "auto", depth: int | None = None) -> Change:
    """Compare the rows of both tables by their module path.

    With style auto, the base's style is used for both. Raises ValueError for an unknown style."""
    traces = Sides(base, head)
    tables = _tables(traces, style, depth)
    rows = tables.map(lambda t: {r.id: r for r in t.rows})
    measured = all(t.measured for t in traces)
    names = Counter(r.name for r in (rows.base | rows.head).values())
    steps = []
    for ident in _order(tables):
        pair = rows.map(lambda side: side.get(ident))  # noqa: B023 (called at once)
        name = (pair.base or rows.head[ident]).name
        if names[name] > 1:
            name = f"{name} [{ident}]"
        steps.append(_step(name, traces, pair, measured))
    return Change(
        tables.base.title,
        tables.head.title,
        tuple(steps),
        tables.map(lambda t: t.params),
        tables.map(lambda t: t.macs),
        tables.map(lambda t: sum(r.seconds or 0.0 for r in t.rows)) if measured else None,
        caveats(base, head),
    )


def _tables(traces: Sides[Trace], style: str, depth: int | None) -> Sides[Table]:
    """Both tables in one style, with the same modules opened."""
    if style == "auto":
        style = choose_style(traces.base, layer_graph(traces.base))
    opening = depth
    if style == "layers" and depth is None:
        each = traces.map(lambda t: opened(t, layer_graph(t)))
        opening = each.base | each.head
    return traces.map(lambda t: table(t, style, "macs", opening, merge=False))


def _order(tables: Sides[Table]) -> list[str]:
    """The ids of all rows: those of base, and what is new in head after what it follows there."""
    order = [r.id for r in tables.base.rows]
    known = set(order)
    before = None
    for row in tables.head.rows:
        if row.id not in known:
            order.insert(order.index(before) + 1 if before is not None else 0, row.id)
        before = row.id
    return order


def _step(name: str, traces: Sides[Trace], rows: Sides[Row | None], measured: bool) -> Step:
    params = rows.map(lambda r: r.params if r else 0)
    macs = rows.map(lambda r: r.macs if r else 0)
    differences: list[str] = []
    if rows.base is None or rows.head is None:
        what = "added" if rows.base is None else "removed"
    else:
        differences = _cells(rows.base, rows.head)
        differences = differences or _operations(traces, Sides(rows.base, rows.head))
        counts_differ = params.base != params.head or macs.base != macs.head
        what = "changed" if differences or counts_differ else "equal"
    seconds = rows.map(lambda r: (r.seconds or 0.0) if r else 0.0) if measured else None
    return Step(name, what, params, macs, "; ".join(differences), seconds)


_COUNTED_APART = ("params", "ops", "time", "backward")  # cells that have columns of their own


def _cells(base: Row, head: Row) -> list[str]:
    """The cells that differ, in words."""
    return [
        f"{key}: {base.cells.get(key, '') or 'none'} -> {head.cells.get(key, '') or 'none'}"
        for key in dict.fromkeys([*base.cells, *head.cells])
        if key not in _COUNTED_APART and base.cells.get(key) != head.cells.get(key)
    ]


_SHOWN = 3  # differences of one block in words
_ARGUMENTS = (
    "stride",
    "padding",
    "dilation",
    "groups",
    "kernel_size",
    "p",
    "eps",
    "approximate",
    "negative_slope",
    "ceil_mode",
)


@dataclass(frozen=True)
class _Operation:
    """What distinguishes an operation in a block: aten name, module type, arguments, output
    shape."""

    name: str
    module_type: str
    arguments: tuple[tuple[str, Any], ...]
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.module_type} ({self.name.removeprefix('aten.')})"


def _operation(trace: Trace, op: Op) -> _Operation:
    arguments = tuple((k, op.attrs[k]) for k in _ARGUMENTS if k in op.attrs)
    shape = trace.tensors[op.outputs[0]].shape if op.outputs else ()
    return _Operation(op.name, op.module_type, arguments, shape)


def _operations(traces: Sides[Trace], rows: Sides[Row]) -> list[str]:
    """What runs otherwise in a block whose cells are the same, in words: other operations, or other
    arguments of the same ones."""
    base, head = (
        [_operation(t, t.ops[i]) for i in row.ops] for t, row in zip(traces, rows, strict=True)
    )
    found = [words for a, b in _aligned(base, head) if a != b for words in _difference(a, b)]
    found = list(dict.fromkeys(found))
    more = len(found) - _SHOWN
    return found[:_SHOWN] + ([f"and {more} more"] if more > 0 else [])


def _aligned(
    base: Sequence[_Operation], head: Sequence[_Operation]
) -> Iterator[tuple[_Operation | None, _Operation | None]]:
    """The operations of both side by side: one by one where they are as many, otherwise where they
    differ."""
    if len(base) == len(head):
        yield from zip(base, head, strict=True)
        return
    for kind, a0, a1, b0, b1 in SequenceMatcher(None, base, head, autojunk=False).get_opcodes():
        if kind != "equal":
            yield from zip_longest(base[a0:a1], head[b0:b1])


def _difference(base: _Operation | None, head: _Operation | None) -> Iterable[str]:
    if (
        base is None
        or head is None
        or (base.name, base.module_type) != (head.name, head.module_type)
    ):
        return [f"{base or 'none'} -> {head or 'none'}"]
    old, new = dict(base.arguments), dict(head.arguments)
    words = [
        f"{base.module_type} {key}: {_spell(old.get(key))} -> {_spell(new.get(key))}"
        for key in dict.fromkeys([*old, *new])
        if old.get(key) != new.get(key)
    ]
    if base.shape != head.shape:
        words.append(f"{base.module_type}: {_spell(base.shape)} -> {_spell(head.shape)}")
    return words


def _spell(value: object) -> str:
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)
