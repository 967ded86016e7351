"""The rows of two tables, paired and compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence

from ...tables import Row, Table, caveats, version_name
from ...trace import Trace
from ..limits import QUANTITIES, Limit, judge, measure_ops, with_backward
from . import notes
from .align import Block, Pair, align, new_parents
from .figures import Figures, Sides
from .operations import differences
from .pairing import blocks_of, called_in, tables_of
from .result import Change, Step, What


def change(
    base: Trace,
    head: Trace,
    style: str = "auto",
    depth: int | None = None,
    limits: Sequence[Limit] = (),
) -> Change:
    """Compare the rows of both tables, paired as `align` says, and judge the limits.

    With style auto, the base's style is used for both. Raises ValueError for an unknown style,
    LimitError for a limit that these traces cannot answer."""
    traces = Sides(base, head)
    tables = tables_of(traces, style, depth)
    figures = _figures(traces)
    return Change(
        version_name(base),
        version_name(head),
        tuple(_steps(traces, tables, figures)),
        figures,
        traces,
        caveats(base, head),
        tuple(judge(x, head, base, called=called_in(traces, x.block)) for x in limits),
    )


def _figures(traces: Sides[Trace]) -> Figures:
    """Of the models: of each quantity that both have; integer multiply-adds where there are any."""
    found = {
        name: traces.map(lambda t, name=name: measure_ops(t, name, None)) for name in QUANTITIES
    }
    return {
        name: sides
        for name, sides in found.items()
        if None not in sides and (name != "integer-macs" or any(sides))
    }


def _steps(traces: Sides[Trace], tables: Sides[Table], quantities: Iterable[str]) -> Iterator[Step]:
    """The blocks of both, paired."""
    blocks = Sides(blocks_of(traces.base, tables.base), blocks_of(traces.head, tables.head))
    pairs = align(blocks.base, blocks.head)
    elsewhere = new_parents(blocks.base, blocks.head, pairs)
    names = Counter(row.name for row in {r.id: r for t in tables for r in t.rows}.values())
    for pair in pairs:
        rows = Sides(
            None if pair.base is None else tables.base.rows[pair.base],
            None if pair.head is None else tables.head.rows[pair.head],
        )
        found = _found(pair, elsewhere, blocks, rows)
        row = rows.head or rows.base
        assert row is not None
        yield Step(
            f"{row.name} [{row.id}]" if names[row.name] > 1 else row.name,
            found,
            {name: _figure(traces, rows, name) for name in quantities},
            "; ".join(_words(traces, rows, found, pair.crossing)),
            rows.map(lambda r: r.path if r else None),
        )


def _found(
    pair: Pair, elsewhere: Container[int], blocks: Sides[list[Block]], rows: Sides[Row | None]
) -> What:
    """What a pair of blocks is; see `align`."""
    if pair.base is None or pair.head is None:
        return "added" if pair.base is None else "removed"
    assert rows.base and rows.head
    old, new = blocks.base[pair.base], blocks.head[pair.head]
    counts = (rows.base.params, rows.base.macs) == (rows.head.params, rows.head.macs)
    if old.operations != new.operations or not counts:
        return "changed"
    if pair.crossing or pair.base in elsewhere:
        return "moved"
    return "equal" if old.ident == new.ident else "renamed"


def _words(
    traces: Sides[Trace], rows: Sides[Row | None], what: What, crossing: bool
) -> Iterator[str]:
    """What differs between the two of a pair."""
    base, head = rows
    if base is None or head is None:
        return
    if base.path != head.path:
        yield notes.was(base.path)
    if crossing:
        yield notes.reordered()
    if what == "changed":
        yield from notes.cells(base.cells, head.cells) or differences(traces, Sides(base, head))


def _figure(traces: Sides[Trace], rows: Sides[Row | None], name: str) -> Sides[float | None]:
    """One quantity of a block on both sides."""
    absent = 0 if QUANTITIES[name].adds_up else None
    return Sides(
        *(
            _of_row(trace, row, name) if row else absent
            for trace, row in zip(traces, rows, strict=True)
        )
    )


def _of_row(trace: Trace, row: Row, name: str) -> float | None:
    """One quantity of a row. A param that several rows use is in the first of them, so that rows
    add up."""
    if name == "params":
        return row.params
    return measure_ops(trace, name, with_backward(trace, row.ops))
