"""Everything that the papers print of networks, audited: who reproduces."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..._result import Result
from ...reference.printed import PrintedShares, PrintedTable, PrintedTotal, papers
from ...tables import Column, Sheet
from ...trace import Trace
from . import notes as text
from .causes import Verdict
from .published import audit_published
from .result import Audit, Cell

Find = Callable[[str, str], Trace]  # the trace of a model, on an input such as 1x3x224x224


class Outcome(StrEnum):
    """How much of what a source prints of a network is accounted for."""

    REPRODUCED = "reproduced"
    WEAK = "weak evidence"  # what is printed has too few digits to be sure
    IN_PART = "in part"
    NOT_REPRODUCED = "not reproduced"


@dataclass(frozen=True)
class Reproduction:
    """What one table or section prints of one network, against its trace.

    `paper` and `where` name the source, and `read` where it was read, if not there; `input` is the
    shape that it is printed for; `accounted` cells of the `of` printed ones are accounted for, and
    `left` are the others."""

    paper: str
    where: str
    read: str
    model: str
    input: str
    accounted: int
    of: int
    left: tuple[Cell, ...]

    @property
    def outcome(self) -> Outcome:
        """The verdict of the whole."""
        if self.accounted == self.of:
            return Outcome.REPRODUCED
        if all(cell.finding.verdict is Verdict.WEAK for cell in self.left):
            return Outcome.WEAK
        return Outcome.IN_PART if self.accounted else Outcome.NOT_REPRODUCED


@dataclass(frozen=True)
class Reproductions(Result):
    """Every printed table and total, in the order of the papers."""

    rows: tuple[Reproduction, ...]

    @property
    def explained(self) -> bool:
        """Whether no cell is left that nothing explains."""
        left = (cell for row in self.rows for cell in row.left)
        return not any(cell.finding.verdict is Verdict.UNEXPLAINED for cell in left)

    @property
    def sheet(self) -> Sheet:
        """A row a network and source, verdict first."""
        inputs: dict[str, set[str]] = {}
        for row in self.rows:
            inputs.setdefault(row.model, set()).add(row.input)
        rows = tuple(_record(row, several=len(inputs[row.model]) > 1) for row in self.rows)
        return Sheet(
            "who reproduces", EVERY_COLUMNS, rows, text.reproductions(self), group="source"
        )


EVERY_COLUMNS = (
    Column("source"),
    Column("verdict"),
    Column("model"),
    Column("accounted for"),
    Column("not accounted for"),
    Column("paper", detail=True),
    Column("where", detail=True),
    Column("read in", detail=True),
    Column("input", detail=True),
    Column("cells accounted for", "count", detail=True),
    Column("cells printed", "count", detail=True),
)


def _record(row: Reproduction, *, several: bool) -> dict[str, Any]:
    """`several`: the model is printed at several inputs, so that its name needs one."""
    return {
        "source": f"{row.paper.partition(' (arXiv')[0]}, {row.where}",
        "verdict": row.outcome.value,
        "model": f"{row.model} @{row.input.rpartition('x')[2]}" if several else row.model,
        "accounted for": f"{row.accounted} of {row.of}",
        "not accounted for": text.left_over(row),
        "paper": row.paper,
        "where": row.where,
        "read in": row.read or "the paper",
        "input": row.input,
        "cells accounted for": row.accounted,
        "cells printed": row.of,
    }


def audit_all(find: Find, progress: Callable[[int, int, str], None] | None = None) -> Reproductions:
    """Audit every printed figure, each on the input that it is printed for.

    Args:
        find: traces a model on an input.
        progress: called with (done, of, model) before each model is traced."""
    printed = [p for paper in papers() for p in (*paper.tables, *paper.totals, *paper.shares)]
    places = list(dict.fromkeys((p.model, p.input) for p in printed))
    audits: dict[tuple[str, str], Audit] = {}
    for done, (model, shape) in enumerate(places):
        if progress is not None:
            progress(done, len(places), model)
        audits[model, shape] = audit_published(
            find(model, shape), lambda other, shape=shape: find(other, shape)
        )
    return Reproductions(tuple(_reproduction(p, audits[p.model, p.input]) for p in printed))


def _reproduction(
    printed: PrintedShares | PrintedTable | PrintedTotal, found: Audit
) -> Reproduction:
    """The cells of one source, of the audit of a model that may have several."""
    is_table = isinstance(printed, PrintedTable)
    source = "" if is_table else f"{printed.paper}, {printed.where}"
    cells = list(_once(cell for cell in found.cells if cell.where == source))
    accounted, of = sum(cell.accounted for cell in cells), len(cells)
    if is_table and found.structure is not None:
        # cells of the structure that differ are listed, and those that are equal are counted alone
        accounted, of = accounted + found.structure.equal, of + found.structure.equal
    left = tuple(cell for cell in cells if not cell.accounted)
    where = (printed.paper, printed.where, printed.read, printed.model, printed.input)
    return Reproduction(*where, accounted, of, left)


def _once(cells: Iterator[Cell]) -> Iterator[Cell]:
    """Each cell once: a paper that prints several inputs prints the same params with each."""
    seen: set[tuple[str, str, str]] = set()
    for cell in cells:
        key = (cell.row, cell.column, cell.printed)
        if key not in seen:
            seen.add(key)
            yield cell
