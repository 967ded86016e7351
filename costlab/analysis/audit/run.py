"""An audit step by step: read the printed rows, align them with the trace, judge every cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ...cost import total
from ...trace import Trace
from .causes import Finding, MissingRow, Verdict
from .cells import TOTALS, Printed, PrintedRow, is_total, read_rows, row_kind
from .conventions import KINDS
from .lines import Line, OtherTrace, questions
from .result import Audit, Cell, Structure
from .rows import Counted, align, align_in_best_style, count_ops, count_rows
from .structure import Compared, compare, ignored_columns
from .totals import audit_totals, neurons
from .verdicts import Solved, fits, solve, sums


def audit(
    printed: Iterable[Mapping[str, str | None]],
    trace: Trace,
    readings: Sequence[OtherTrace] = (),
    title: str = "",
) -> Audit:
    """Check printed rows against a trace.

    Args:
        printed: dicts by column (type, patch size/stride, output size, depth, #1x1, ..., params,
            ops), cells as text. A row called total, or one with counts alone, prints the sum.
        trace: the network.
        readings: traces of other readings of the same network.
        title: the title of the result; the model's name by default.

    Raises ValueError for a cell that is not a number, when no printed row has a counterpart in the
    trace, or when nothing but names is printed."""
    title = title or trace.provenance["model"]
    rows = read_rows(printed)
    totals = [row for row in rows if is_total(row)]
    layers = [row for row in rows if not is_total(row)]
    if not layers:
        return Audit(title, _totals_alone(totals, trace))
    lines = printed_lines(layers, trace, readings)
    compared = {x: compare(x.name, x.printed, x.row) for x in lines if x.row}
    if not any(c.of for c in compared.values()) and not any(x.numbers for x in compared):
        raise ValueError(
            "no column has figures to check; name the columns params and ops (or MACs, "
            "mult-adds), with a unit in the cell or as (M) in the header"
        )
    has_counts = any(line.numbers for line in lines)
    if has_counts:  # the total is one more cell under the table's convention
        lines += [_total_line(row, trace, readings) for row in totals]
    solved = solve(lines, [r.name for r in readings])
    cells = [cell for x in lines for cell in _cells(x, compared.get(x), solved)]
    cells += [cell for row in totals if has_counts for cell in _neurons(row, trace)]
    cells += [] if has_counts else _totals_alone(totals, trace)
    return Audit(
        title,
        tuple(cells),
        fits(solved.choice, questions(lines)),
        tuple(sums(lines, solved.choice)),
        _structure(compared.values()),
        reading=solved.choice.reading,
        ignored=ignored_columns((line.printed, line.row) for line in lines if not line.is_total),
    )


def printed_lines(
    printed: Sequence[PrintedRow], trace: Trace, readings: Sequence[OtherTrace] = ()
) -> list[Line]:
    """Each printed row of layers with its numbers and the rows that it means."""
    found = align_in_best_style(printed, trace)
    others = {r.name: align(printed, count_rows(r.trace, found.style)) for r in readings}
    return [
        Line(
            _name(row) or f"row {i + 1}",
            row,
            _numbers(row),
            found.rows[i],
            {name: other for name, rows in others.items() if (other := rows[i])},
        )
        for i, row in enumerate(printed)
    ]


def _total_line(printed: PrintedRow, trace: Trace, readings: Sequence[OtherTrace]) -> Line:
    others = {r.name: _whole(r.trace) for r in readings}
    return Line("total", printed, _numbers(printed), _whole(trace), others, is_total=True)


def _whole(trace: Trace) -> Counted:
    """The whole network as one row."""
    return Counted("total", "", {}, count_ops(trace, trace.forward))


def _numbers(row: PrintedRow) -> dict[str, Printed]:
    parsed = {kind: Printed.parse(row.get(kind)) for kind in KINDS}
    return {kind: number for kind, number in parsed.items() if number is not None}


def _name(row: PrintedRow) -> str:
    """The row's label; of convolutions and pools, of which a table has many, with their size."""
    if row_kind(row.label) not in ("conv", "pool"):
        return row.label
    label = row.label.replace("convolution", "conv")
    return f"{label} {row.get('patch size stride')}".strip()


def _structure(compared: Iterable[Compared]) -> Structure | None:
    each = list(compared)
    of = sum(c.of for c in each)
    return Structure(of - sum(len(c.different) for c in each), of) if of else None


def _cells(line: Line, compared: Compared | None, solved: Solved) -> list[Cell]:
    """The cells of one row: those of the structure that differ, then every count."""
    if line.row is None:
        missing = Finding(Verdict.UNEXPLAINED, MissingRow())
        return [Cell(line.name, "row", line.name, "", missing)]
    counts: list[Cell] = []
    for kind, number in line.numbers.items():
        rule = solved.choice.rules[kind]
        value = rule.value(line.row.counts)
        finding = solved.findings[line, kind]
        counts.append(Cell(line.name, kind, number.text, value, finding, number, rule.base))
    return [*(compared.different if compared else ()), *counts]


def _totals_alone(rows: Sequence[PrintedRow], trace: Trace) -> tuple[Cell, ...]:
    """Totals without a table of layers.

    Raises ValueError where none is printed."""
    found = [
        {"quantity": quantity, "printed": row.get(quantity), "where": ""}
        for row in rows
        for quantity in TOTALS
        if row.get(quantity)
    ]
    if rows and not found:
        raise ValueError("no column has figures to check; name the columns params and ops")
    return audit_totals(trace, found)


def _neurons(row: PrintedRow, trace: Trace) -> tuple[Cell, ...]:
    """The neurons of a total row, where they are printed."""
    number = Printed.parse(row.get("neurons"))
    return (neurons(total(trace).activations, number),) if number else ()
