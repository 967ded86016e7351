"""An audit step by step: read the printed rows, align them with the trace, judge every cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ...trace import Trace
from .causes import Finding, MissingRow, Verdict
from .cells import Printed, PrintedRow, read_rows, row_kind
from .conventions import KINDS, Rule
from .result import Audit, Cell, Structure
from .rows import align, align_in_best_style, count_rows
from .structure import Compared, compare
from .verdicts import Line, Question, Reading, best_rules, fits, solve, sums


@dataclass(frozen=True)
class OtherTrace:
    """Another reading of the network: what it is, and its trace."""

    name: str
    trace: Trace


def audit(
    printed: Iterable[Mapping[str, str | None]],
    trace: Trace,
    readings: Sequence[OtherTrace] = (),
    title: str = "",
) -> Audit:
    """Check printed rows against a trace.

    Args:
        printed: dicts by column (type, patch size/stride, output size, depth, #1x1, ..., params,
            ops), cells as text.
        trace: the network.
        readings: traces of other readings of the same network.
        title: the title of the result; the model's name by default.

    Raises ValueError for a cell that is no number, when no printed row has a counterpart in the
    trace, or when nothing but names is printed."""
    lines = _lines(read_rows(printed), trace, readings)
    compared = [
        compare(line.name, line.printed, line.row) if line.row else Compared(0, ())
        for line in lines
    ]
    structure = Structure(
        equal=sum(c.of - len(c.different) for c in compared), of=sum(c.of for c in compared)
    )
    if not structure.of and not any(line.numbers for line in lines if line.row):
        raise ValueError(
            "there is nothing to check but names; call the columns params and ops (or MACs, "
            "mult-adds), with a unit in the cell or as (M) in the header"
        )
    found = fits(lines)
    best = best_rules(found)
    cells = [
        cell
        for line, row in zip(lines, compared, strict=True)
        for cell in _cells(line, row.different, best)
    ]
    return Audit(
        title or trace.provenance["model"],
        tuple(cells),
        found,
        tuple(sums(lines, best, [r.name for r in readings])),
        structure if structure.of else None,
    )


def _lines(
    printed: Sequence[PrintedRow], trace: Trace, readings: Sequence[OtherTrace]
) -> list[Line]:
    """Each printed row with its numbers and the rows that it means."""
    found = align_in_best_style(printed, trace)
    others = {r.name: align(printed, count_rows(r.trace, found.style)) for r in readings}
    lines = []
    for i, (line, row) in enumerate(zip(printed, found.rows, strict=True)):
        counterparts = {name: rows[i] for name, rows in others.items()}
        lines.append(
            Line(
                _name(line) or f"row {i + 1}",
                line,
                _numbers(line),
                row,
                tuple(Reading(name, other) for name, other in counterparts.items() if other),
            )
        )
    return lines


def _numbers(line: PrintedRow) -> dict[str, Printed]:
    parsed = {kind: Printed.parse(line.get(kind)) for kind in KINDS}
    return {kind: number for kind, number in parsed.items() if number is not None}


def _name(line: PrintedRow) -> str:
    """The row's label; of convolutions and pools, of which a table has many, with their size."""
    if row_kind(line.label) not in ("conv", "pool"):
        return line.label
    return f"{line.label} {line.get('patch size stride')}".strip()


def _cells(line: Line, different: Sequence[Cell], best: Mapping[str, Rule]) -> list[Cell]:
    """The cells of one row: those of the structure that differ, then every count."""
    if line.row is None:
        missing = Finding(Verdict.UNEXPLAINED, MissingRow())
        return [Cell(line.name, "row", line.name, "", missing)]
    counts = []
    for kind, number in line.numbers.items():
        rule = best[kind]
        finding = solve(Question(kind, line, line.row, best))
        value = rule.value(line.row.counts)
        counts.append(Cell(line.name, kind, number.text, value, finding, number, rule.base))
    return [*different, *counts]
