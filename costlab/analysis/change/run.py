"""The rows of two tables, compared by their module path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ...graph import layer_graph
from ...tables import Row, Table, caveats, choose_style, opened, table, version_name
from ...trace import Trace
from ..limits import Limit, judge
from . import notes
from .operations import differences
from .result import Change, Sides, Step


def change(
    base: Trace,
    head: Trace,
    style: str = "auto",
    depth: int | None = None,
    limits: Sequence[Limit] = (),
) -> Change:
    """Compare the rows of both tables by their module path, and judge the limits.

    With style auto, the base's style is used for both. Raises ValueError for an unknown style,
    LimitError for a limit that these traces cannot answer."""
    traces = Sides(base, head)
    tables = _tables(traces, style, depth)
    rows = tables.map(lambda t: {r.id: r for r in t.rows})
    measured = all(t.measured for t in traces)
    names = Counter(r.name for r in (rows.base | rows.head).values())
    steps = []
    for ident in _order(tables):
        pair = Sides(rows.base.get(ident), rows.head.get(ident))
        name = (pair.base or rows.head[ident]).name
        shown = f"{name} [{ident}]" if names[name] > 1 else name
        steps.append(_step(shown, traces, pair, measured))
    return Change(
        version_name(base),
        version_name(head),
        tuple(steps),
        tables.map(lambda t: t.params),
        tables.map(lambda t: t.macs),
        traces,
        tables.map(lambda t: sum(r.seconds or 0.0 for r in t.rows)) if measured else None,
        caveats(base, head),
        tuple(judge(limit, head, base) for limit in limits),
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
    """A row of base, head or both."""
    params = rows.map(lambda r: r.params if r else 0)
    macs = rows.map(lambda r: r.macs if r else 0)
    seconds = rows.map(lambda r: (r.seconds or 0.0) if r else 0.0) if measured else None
    base, head = rows
    words: list[str] = []
    if base is None or head is None:
        what = "added" if base is None else "removed"
    else:
        words = notes.cells(base.cells, head.cells) or differences(traces, Sides(base, head))
        counts_differ = params.base != params.head or macs.base != macs.head
        what = "changed" if words or counts_differ else "equal"
    return Step(name, what, params, macs, "; ".join(words), seconds)
