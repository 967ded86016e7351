"""The tables and totals that papers print of a network, audited."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from ...reference.printed import (
    QUANTITIES,
    PrintedTable,
    PrintedTotal,
    papers,
    tables_of,
    totals_of,
)
from ...trace import Trace
from .result import Audit, OtherInput
from .run import OtherTrace, audit
from .totals import audit_totals

_GRIDS = ("output size", "input size")


def published_models() -> tuple[str, ...]:
    """Models of which a paper prints a table or totals, by their names on the command line."""
    printed = (p for paper in papers() for p in (*paper.tables, *paper.totals))
    return tuple(dict.fromkeys(p.model for p in printed))


def audit_published(trace: Trace, find: Callable[[str], Trace]) -> Audit:
    """A model's published table and totals against its trace.

    `find(name)` traces another reading of the network. Ops and grids are compared only where the
    trace is of the printed input.

    Raises ValueError for a model without published figures."""
    name = trace.provenance["model"]
    tables, totals = tables_of(name), totals_of(name)
    if not tables and not totals:
        raise ValueError(
            f"no published figures for {name}; there are some for "
            f"{', '.join(published_models())}, or give your own with --against FILE.csv"
        )
    result = Audit(f"{name} against published totals")
    for table in tables:
        result = _audit_table(table, trace, find)
    lines = [line for total in totals for line in _lines(total, trace)]
    lines.sort(key=lambda line: QUANTITIES.index(line["quantity"]))
    return replace(
        result,
        cells=(*result.cells, *audit_totals(trace, lines)),
        other_input=_other_input([*tables, *totals], trace),
    )


def _traced_input(trace: Trace) -> str:
    inputs = trace.provenance["inputs"]
    return inputs[0][0] if inputs else ""


def _other_input(printed: Iterable[PrintedTable | PrintedTotal], trace: Trace) -> OtherInput | None:
    """The printed and the traced input, where they differ."""
    traced = _traced_input(trace)
    other = next((p.input for p in printed if p.input != traced), None)
    return OtherInput(other, traced) if other else None


def _audit_table(table: PrintedTable, trace: Trace, find: Callable[[str], Trace]) -> Audit:
    """A printed table of layers; of a trace of another input, what does not depend on it."""
    title = f"{table.model} against {table.paper}, {table.where}"
    readings = [OtherTrace(r.description, find(r.model)) for r in table.readings]
    rows: Iterable[Mapping[str, str]] = table.rows
    if table.input != _traced_input(trace):
        rows = [{k: v for k, v in row.items() if k not in ("ops", *_GRIDS)} for row in rows]
    return audit(rows, trace, readings, title)


def _lines(total: PrintedTotal, trace: Trace) -> list[dict[str, str]]:
    """A line for each quantity; of a trace of another input, the params alone."""
    same = total.input == _traced_input(trace)
    where = f"{total.paper}, {total.where}"
    return [
        {"quantity": quantity, "printed": text, "where": where}
        for quantity, text in total.cells.items()
        if same or quantity == "params"
    ]
