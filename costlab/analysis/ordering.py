"""The rows of a table with the most expensive first, and the rest as one row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .._spelling import choice
from ..predict import prediction_of
from ..tables import Column, Note, Row, Table, others, predicted_cells
from ..tables.predicted import LEAST
from ..trace import Trace
from . import notes
from .limits import measure_ops, with_backward

_ADDED_UP = frozenset(("params", "MACs", "FLOPs", "elements", "bytes", "ms", "count"))  # units
_APART = frozenset(("times", "output size"))  # numbers that say nothing of a sum of rows
PEAK = "peak memory"


@dataclass(frozen=True)
class Order:
    """What rows can be sorted by.

    Attributes:
        column: the key of the column that shows it.
        words: what it is called.
        asked_for: the column is not in every table, and is one of `COLUMNS`.
    """

    column: str
    words: str
    asked_for: bool = False


ORDERS = {
    "macs": Order("ops", "MACs"),
    "params": Order("params", "params"),
    "activations": Order("activations", "activations", asked_for=True),
    "bytes": Order("bytes", "bytes read and written", asked_for=True),
    "peak": Order(PEAK, "peak memory"),
    "time": Order("time", "measured time"),
    "predicted": Order("predicted", "predicted time"),
}


def order_named(sort: str | None, top: int | None, trace: Trace) -> Order | None:
    """The order that is asked for: by MACs where only the number of rows is; None for that of
    execution.

    Raises ValueError for an unknown order, a number of rows below 1, and time without a measured
    trace."""
    if top is not None and top < 1:
        raise ValueError(f"top is {top}; choose 1 or more")
    if sort is None:
        return ORDERS["macs"] if top is not None else None
    if sort not in ORDERS:
        raise ValueError(f"cannot sort by {sort!r}{choice(sort, ORDERS)}")
    if sort == "time" and trace.measured is None:
        raise ValueError(
            f"{trace.provenance['model']} is not measured, so it has no times to sort by; make a "
            "trace with `costlab trace MODEL --measure`"
        )
    if sort == "predicted":
        return _by_prediction(trace)
    return ORDERS[sort]


def _by_prediction(trace: Trace) -> Order:
    """By predicted time, or by its bound. Raises ValueError without a profile."""
    prediction = prediction_of(trace)
    if prediction is None:
        raise ValueError("there are no predicted times to sort by; name a device with `profile`")
    if prediction.total.is_bound:
        return Order(LEAST, "the least time possible")
    return ORDERS["predicted"]


def ordered(table: Table, trace: Trace, order: Order, top: int | None) -> Table:
    """The table with the rows that have most of something first, each with its share of the
    total, and all but the first `top` as one row. Totals stay what they are."""
    if order.column == PEAK:
        table = _with_peaks(table, trace)
    key = _key(order)
    rows = tuple(sorted(table.rows, key=key, reverse=True))
    shown = rows if top is None else rows[:top]
    rest = rows[len(shown) :]
    columns = tuple(
        replace(c, share=not c.detail) if c.key == order.column else c for c in table.columns
    )
    if rest:
        shown = (*shown, _together(rest, replace(table, columns=columns)))
    return replace(
        table,
        columns=columns,
        rows=shown,
        rest=len(rest),
        notes=(notes.order(order.words, len(rest)), *table.notes),
    )


def _key(order: Order) -> Callable[[Row], float]:
    def value(row: Row) -> float:
        found = row.cells.get(order.column) or 0
        # products of a quantized network are multiply-adds all the same
        return found + row.cells.get("integer ops", 0) if order.column == "ops" else found

    return value


def _with_peaks(table: Table, trace: Trace) -> Table:
    """The table with a column of the bytes that are alive, at most, while a row runs."""

    def peak(row: Row) -> float | None:
        return measure_ops(trace, "peak", with_backward(trace, row.ops))

    return replace(
        table,
        columns=(*table.columns, Column(PEAK, "bytes")),
        rows=tuple(replace(r, cells={**r.cells, PEAK: peak(r)}) for r in table.rows),
        totals={**table.totals, PEAK: measure_ops(trace, "peak", None)},
        notes=(*table.notes, Note(notes.PEAKS, PEAK)),
    )


def _together(rows: Sequence[Row], table: Table) -> Row:
    """One row in the place of several of a table."""
    columns = table.columns
    cells: dict[str, Any] = {columns[0].key: others(len(rows))}
    for column in columns[1:]:
        values = [row.cells.get(column.key) for row in rows]
        numbers = [v for v in values if isinstance(v, (int, float))]
        if numbers and column.unit in _ADDED_UP and column.key not in _APART:
            cells[column.key] = max(numbers) if column.key == PEAK else sum(numbers)
    ops = _joined(r.ops for r in rows)
    if table.prediction:
        cells |= predicted_cells(table.prediction, table.prediction.over(ops))
    return Row(
        id="other rows",
        cells=cells,
        params=sum(r.params for r in rows),
        macs=sum(r.macs for r in rows),
        nodes=_joined(r.nodes for r in rows),
        ops=ops,
        seconds=sum(r.seconds or 0.0 for r in rows) if rows[0].seconds is not None else None,
    )


def _joined(indices: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(sorted(i for each in indices for i in each))
