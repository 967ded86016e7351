"""The tables and totals that papers print of a network, audited."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from ...reference.printed import (
    QUANTITIES,
    PrintedTable,
    PrintedTotal,
    papers,
    shares_of,
    tables_of,
    totals_of,
)
from ...trace import Trace
from .lines import OtherTrace
from .result import Audit, Cell, OtherInput
from .run import audit
from .shares import audit_shares
from .totals import audit_totals

_GRIDS = ("output size", "input size")


def published_models() -> tuple[str, ...]:
    """Models of which a paper prints a table or totals, by their names on the command line."""
    printed = (p for paper in papers() for p in (*paper.tables, *paper.totals, *paper.shares))
    return tuple(dict.fromkeys(p.model for p in printed))


def audit_published(trace: Trace, find: Callable[[str], Trace]) -> Audit:
    """A model's published table and totals against its trace.

    `find(name)` traces another reading of the network. Ops and grids are compared only where the
    trace is of the printed input.

    Raises ValueError for a model without published figures."""
    name = trace.provenance["model"]
    tables, totals, shares = tables_of(name), totals_of(name), shares_of(name)
    if not (tables or totals or shares):
        known = published_models()
        own = [model for model in known if ":" not in model]
        raise ValueError(
            f"no published figures for {name}; there are some for {', '.join(own)} and "
            f"{len(known) - len(own)} models of torchvision and timm (costlab audit --all lists "
            "them), or give your own with --against FILE.csv"
        )
    result = Audit(f"{name} against published totals")
    cells: list[Cell] = []
    readings: dict[str, OtherTrace] = {}  # how the table of a paper is read
    for table in tables:
        others = [OtherTrace(r.description, find(r.model)) for r in table.readings]
        result = _audit_table(table, trace, others)
        cells += result.cells
        for reading in others:
            if reading.name == result.reading:
                readings[table.paper] = reading
    for quantity in QUANTITIES:
        for printed in _once(totals, quantity):
            lines = _lines(printed, quantity, trace)
            cells += audit_totals(trace, lines, readings.get(printed.paper))
    for printed in shares:
        if printed.input == _traced_input(trace):
            cells += audit_shares(trace, printed)
    other_input = _other_input([*tables, *totals], trace)
    return replace(result, cells=tuple(cells), other_input=other_input)


def _traced_input(trace: Trace) -> str:
    inputs = trace.provenance["inputs"]
    return inputs[0][0] if inputs else ""


def _other_input(printed: Iterable[PrintedTable | PrintedTotal], trace: Trace) -> OtherInput | None:
    """The printed and the traced input, where nothing is printed for the one that was traced."""
    traced = _traced_input(trace)
    inputs = [p.input for p in printed]
    return OtherInput(inputs[0], traced) if inputs and traced not in inputs else None


def _audit_table(table: PrintedTable, trace: Trace, readings: Sequence[OtherTrace]) -> Audit:
    """A printed table of layers; of a trace of another input, what does not depend on it."""
    title = f"{table.model} against {table.paper}, {table.where}"
    rows: Iterable[Mapping[str, str]] = table.rows
    if table.input != _traced_input(trace):
        rows = [{k: v for k, v in row.items() if k not in ("ops", *_GRIDS)} for row in rows]
    return audit(rows, trace, readings, title)


def _once(totals: Iterable[PrintedTotal], quantity: str) -> Iterable[PrintedTotal]:
    """The totals without params that one table prints again, for another input."""
    if quantity != "params":
        return totals
    return {(t.paper, t.where, t.cells.get(quantity)): t for t in totals}.values()


def _lines(total: PrintedTotal, quantity: str, trace: Trace) -> list[dict[str, str]]:
    """What is printed of a quantity; of a trace of another input, of params alone."""
    text = total.cells.get(quantity)
    if not text or (quantity != "params" and total.input != _traced_input(trace)):
        return []
    where = f"{total.paper}, {total.where}"
    return [{"quantity": quantity, "printed": text, "where": where}]
