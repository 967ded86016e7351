"""Base and head beside each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ..._pictures import Picture
from ..._pictures import diagram as picture_of
from ..._result import Charted, review
from ...predict import Estimate, Saving, prediction_of, saving_of
from ...tables import Column, Sheet, display_names
from ...trace import Trace
from ..limits import Judgement
from . import notes, sheets
from .figures import Figures, Sides

_TIMES = ("predicted-low-ms", "predicted-ms", "predicted-high-ms")  # as `Estimate` has them
What = Literal["equal", "changed", "added", "removed", "moved", "renamed"]


class _Counted:
    """The figures that every version has, as whole numbers, and the predicted time."""

    figures: Figures

    @property
    def params(self) -> Sides[int]:
        """Elements; of a block those that it is the first to use."""
        return self.figures["params"].map(_whole)

    @property
    def macs(self) -> Sides[int]:
        """Multiply-adds."""
        return self.figures["macs"].map(_whole)

    @property
    def time(self) -> Saving | None:
        """Predicted time; None without a calibrated profile."""
        if "predicted-ms" not in self.figures:
            return None
        low, middle, high = (self.figures[name].map(_known) for name in _TIMES)
        return Saving(
            Estimate(low.base, middle.base, high.base), Estimate(low.head, middle.head, high.head)
        )

    @property
    def moves(self) -> bool:
        """Whether the MACs differ, or the predicted time."""
        (before, after), time = self.macs, self.time
        return before != after or (time is not None and time.before != time.after)


@dataclass(frozen=True)
class Step(_Counted):
    """A block of base, head or both.

    Attributes:
        name: in the head; in the base where it was removed.
        what: as `align` says.
        figures: of each quantity; of a block that is not there 0, or None for what does not add up.
        cells: what differs, in words.
        paths: module paths; None where the block is not there.
    """

    name: str
    what: What
    figures: Figures
    cells: str
    paths: Sides[str | None]


@dataclass(frozen=True)
class Change(_Counted, Charted):
    """Base and head by name or revision, all steps in the order of the head, and totals.

    Attributes:
        figures: of the models, of each quantity that both have.
        traces: what was counted.
        caveats: notes on how they were built and traced.
        judgements: a limit each, evaluated.
    """

    base: str
    head: str
    steps: tuple[Step, ...]
    figures: Figures
    traces: Sides[Trace] = field(repr=False)
    caveats: tuple[str, ...] = ()
    judgements: tuple[Judgement, ...] = ()

    chart_kind = "waterfall"
    more_formats = ("pdf",)

    @property
    def time(self) -> Saving | None:
        """Predicted time; what both run alike says nothing of how sure the saving is."""
        base, head = map(prediction_of, self.traces)
        if base is None or head is None or base.total.is_bound or head.total.is_bound:
            return None
        return saving_of(base, head)

    @property
    def failed(self) -> tuple[Judgement, ...]:
        """The limits whose condition holds."""
        return tuple(j for j in self.judgements if j.holds)

    @property
    def names(self) -> Sides[str]:
        """Base and head without the folders that they share."""
        return Sides(*display_names([self.base, self.head]))

    @property
    def counts(self) -> dict[str, int]:
        """Blocks by what they are, `Step.what`."""
        found = Counter(s.what for s in self.steps)
        kinds: tuple[What, ...] = ("changed", "added", "removed", "moved", "renamed", "equal")
        return {what: found[what] for what in kinds}

    @property
    def differing(self) -> tuple[Step, ...]:
        """The steps that are not equal."""
        return tuple(s for s in self.steps if s.what != "equal")

    @property
    def moving(self) -> tuple[Step, ...]:
        """Those of `differing` whose MACs differ, or their predicted time."""
        return tuple(s for s in self.differing if s.moves)

    @property
    def verdict(self) -> str:
        """What changed and how many limits failed, in a line."""
        return notes.verdict(self)

    @property
    def notes(self) -> tuple[str, ...]:
        """Caveats about the counts."""
        measured = (notes.measured(t) for t in self.traces) if "time" in self.figures else ()
        return (
            *notes.changes(self.counts["equal"]),
            *measured,
            *notes.on_device(self.traces),
            *self.caveats,
        )

    def diagram(self) -> Picture:
        """Base and head beside each other on one scale, what is not the same in both marked. Needs
        the diagrams extra."""
        from ..diagram import compared

        return picture_of(*compared(self.traces.base, self.traces.head, words=("before", "after")))

    def render(self, format: str, *, command: str = "costlab.diff(base, head)") -> str | bytes:
        """In a format by name, as `save` writes it: "md" is a comment for a pull request, "html"
        and "pdf" a report whose last page names the `command`, all others are the table.

        Raises ModuleNotFoundError without the report and diagrams extras, for "html" and "pdf"."""
        if format in ("md", "html", "pdf"):
            return review(self, format, command)
        return super().render(format)

    @property
    def sheet(self) -> Sheet:
        """A row a block that differs; columns that people rarely need are for machines."""
        return Sheet(
            f"{self.base} to {self.head}",
            sheets.block_columns(self.figures),
            tuple(_row(s) for s in self.differing),
            (
                self.verdict,
                *(notes.failed(j) for j in self.failed),
                *self.notes,
            ),
            sheets.cells(self.figures),
            facts=_facts(self),
        )

    @property
    def whole(self) -> Sheet:
        """The same with all columns for people too."""
        return _shown(self.sheet, lambda column: True)

    @property
    def brief(self) -> Sheet:
        """The same with the columns that matter most, for the width of a page."""
        return _shown(self.sheet, lambda column: column.importance >= Column("").importance)


def _shown(sheet: Sheet, wanted: Callable[[Column], bool]) -> Sheet:
    """With some columns for people, and the others for machines."""
    columns = tuple(replace(c, detail=not wanted(c)) for c in sheet.columns)
    return replace(sheet, columns=columns)


def _row(step: Step) -> dict[str, Any]:
    return {
        "block": step.name,
        "what": step.what,
        **sheets.cells(step.figures),
        "differences": step.cells,
        "base module": step.paths.base,
        "head module": step.paths.head,
    }


def _facts(change: Change) -> dict[str, Any]:
    """What JSON carries beside the rows."""
    return {
        "base": change.base,
        "head": change.head,
        "blocks": change.counts,
        "limits": [
            {"limit": j.limit.text, "met": j.holds, "base": j.base, "head": j.head}
            for j in change.judgements
        ],
    }


def _known(value: float | None) -> float:
    """Nothing of a block that is not there."""
    return value or 0.0


def _whole(value: float | None) -> int:
    return int(value or 0)
