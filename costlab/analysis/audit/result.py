"""What an audit finds: a verdict for every printed cell, its cause, and the facts of its notes.

The words for all of it are in `notes`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..._result import Result
from ...tables import Column, Sheet
from . import notes as text
from .causes import ACCOUNTED, Finding, Verdict
from .cells import Printed
from .conventions import Rule


@dataclass(frozen=True)
class Cell:
    """A printed cell against the trace.

    `printed`: its text; `value`: the exact count under the rule that was chosen, or the trace's
    text; `number`: the printed number, where it is one, in which K is `base`; `where` the paper
    prints a total."""

    row: str
    column: str
    printed: str
    value: int | str
    finding: Finding
    number: Printed | None = None
    base: int = 1000
    where: str = ""

    @property
    def verdict(self) -> str:
        """exact, within rounding, explained; consistent, weak evidence; or not explained."""
        return self.finding.verdict.value

    @property
    def accounted(self) -> bool:
        """Whether the trace accounts for the cell, by more than weak evidence."""
        return self.finding.verdict in ACCOUNTED

    @property
    def ratio(self) -> float | None:
        """Printed over recomputed; None for text and for a count of 0."""
        if self.number is None or not isinstance(self.value, int) or not self.value:
            return None
        return self.number.amount(self.base) / self.value

    @property
    def shown(self) -> str:
        """The recomputed value in the unit of the printed one."""
        return text.recomputed(self)

    @property
    def reason(self) -> str:
        """What explains the cell, in words."""
        return text.explanation(self)


@dataclass(frozen=True)
class Fit:
    """A convention, and how many of the printed cells of its kind it fits."""

    rule: Rule
    fits: int
    of: int


@dataclass(frozen=True)
class ReadingSum:
    """The sum of a reading's rows in params or ops; `reading` is "" for the trace itself."""

    reading: str
    value: int


@dataclass(frozen=True)
class ColumnSum:
    """A printed column's sum beside those of the rows traced, in params or ops."""

    kind: str
    printed: float
    counted: tuple[ReadingSum, ...]


@dataclass(frozen=True)
class Structure:
    """How many printed sizes, depths and filters were compared, and how many equal the trace."""

    equal: int
    of: int


@dataclass(frozen=True)
class OtherInput:
    """The shape that the figures are printed for and the shape traced, as text: 1x3x224x224."""

    printed: str
    traced: str


@dataclass(frozen=True)
class Audit(Result):
    """The verdict of every printed cell, and how many cells each convention fits, the best first.

    `other_input`: set where the trace is not of the printed input; `source`: where the model is
    from, such as its paper; `reading`: the reading of the network that fits most cells, "" for the
    trace; `ignored`: printed columns that the audit compares with nothing."""

    title: str
    cells: tuple[Cell, ...] = ()
    fits: tuple[Fit, ...] = ()
    sums: tuple[ColumnSum, ...] = ()
    structure: Structure | None = None
    other_input: OtherInput | None = None
    source: str = ""
    reading: str = ""
    ignored: tuple[str, ...] = ()

    def best(self, kind: str) -> Fit | None:
        """The convention that fits most cells of a kind (params or ops)."""
        return next((fit for fit in self.fits if fit.rule.kind == kind), None)

    @property
    def explained(self) -> bool:
        """Whether no cell is left that nothing explains."""
        return not any(cell.finding.verdict is Verdict.UNEXPLAINED for cell in self.cells)

    @property
    def notes(self) -> tuple[str, ...]:
        """The conventions, the cells that none fits, the sums and the structure, in words."""
        return (*text.notes(self), *((f"model: {self.source}",) if self.source else ()))

    @property
    def sheet(self) -> Sheet:
        """A row a cell, conventions and cells that none fits in the notes."""
        columns = (
            Column("row"),
            Column("cell"),
            Column("printed"),
            Column("recomputed"),
            Column("exact", "count", importance=2),
            Column("printed / recomputed", "", format=".3f", importance=3),
            Column("verdict"),
            Column("chance", "", format=".1%"),
            Column("why"),
            Column("explanation", detail=True),
        )
        conventions = [
            {
                "kind": fit.rule.kind,
                "convention": text.convention(fit.rule),
                "fits": fit.fits,
                "of": fit.of,
            }
            for fit in self.fits
        ]
        rows = tuple(map(_record, self.cells))
        return Sheet(self.title, columns, rows, self.notes, facts={"conventions": conventions})


def _record(cell: Cell) -> dict[str, Any]:
    return {
        "row": cell.row,
        "cell": cell.column,
        "printed": cell.printed,
        "recomputed": cell.shown,
        "exact": cell.value if isinstance(cell.value, int) else None,
        "printed / recomputed": cell.ratio,
        "verdict": cell.verdict,
        "chance": cell.finding.chance,
        "why": text.why(cell),
        "explanation": cell.reason,
    }
