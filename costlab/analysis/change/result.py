"""Base and head beside each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from ..._pictures import Picture
from ..._pictures import diagram as picture_of
from ..._result import Charted
from ...tables import Column, Sheet
from ...trace import Trace
from ..limits import Judgement
from . import notes

_T = TypeVar("_T")
_U = TypeVar("_U")


class Sides(NamedTuple, Generic[_T]):
    """The same of base and of head."""

    base: _T
    head: _T

    def map(self, function: Callable[[_T], _U]) -> Sides[_U]:
        """`function` of each."""
        return Sides(function(self.base), function(self.head))


@dataclass(frozen=True)
class Step:
    """A block of base, head or both.

    Attributes:
        what: equal, changed, added or removed.
        params: elements, 0 where the block is not there.
        macs: multiply-adds, 0 where the block is not there.
        cells: what differs, in words.
        seconds: measured in place; None where base or head is not measured.
    """

    name: str
    what: str
    params: Sides[int]
    macs: Sides[int]
    cells: str
    seconds: Sides[float] | None = None


@dataclass(frozen=True)
class Change(Charted):
    """Base and head by name, all steps in order, and totals.

    Attributes:
        params: elements.
        macs: multiply-adds.
        seconds: of the operations in place; None where base or head is not measured.
        traces: what was counted.
        caveats: what a reader must know of how they were built and traced.
        judgements: a limit each, evaluated.
    """

    base: str
    head: str
    steps: tuple[Step, ...]
    params: Sides[int]
    macs: Sides[int]
    traces: Sides[Trace] = field(repr=False)
    seconds: Sides[float] | None = None
    caveats: tuple[str, ...] = ()
    judgements: tuple[Judgement, ...] = ()

    chart_kind = "waterfall"

    @property
    def failed(self) -> tuple[Judgement, ...]:
        """The limits whose condition holds."""
        return tuple(j for j in self.judgements if j.holds)

    def diagram(self) -> Picture:
        """Base and head beside each other on one scale, what is not the same in both marked. Needs
        the diagrams extra."""
        from ..diagram import compared

        return picture_of(*compared(self.traces.base, self.traces.head, words=("before", "after")))

    @property
    def sheet(self) -> Sheet:
        """A row a block that differs."""
        differing = [s for s in self.steps if s.what != "equal"]
        rows = tuple(
            {
                "block": s.name,
                "what": s.what,
                **_figures(s.params, s.macs, s.seconds),
                "cells": s.cells,
            }
            for s in differing
        )
        return Sheet(
            f"{self.base} to {self.head}",
            (*_BLOCK, *_COUNTS, *(_TIMES if self.seconds else ()), Column("cells")),
            rows,
            (*notes.changes(equal=len(self.steps) - len(differing)), *self.caveats),
            _figures(self.params, self.macs, self.seconds),
        )


_BLOCK = (Column("block"), Column("what"))
_COUNTS = (
    Column("params base", "params"),
    Column("params head", "params"),
    Column("params change", "params", format="+,d"),
    Column("MACs base", "MACs"),
    Column("MACs head", "MACs"),
    Column("MACs change", "MACs", format="+,d"),
)
_TIMES = (Column("time base", "ms", format=",.3f"), Column("time head", "ms", format=",.3f"))


def _figures(
    params: Sides[int], macs: Sides[int], seconds: Sides[float] | None
) -> dict[str, int | float]:
    """The cells of `_COUNTS` and, where measured, of `_TIMES`."""
    cells: dict[str, int | float] = {
        "params base": params.base,
        "params head": params.head,
        "params change": params.head - params.base,
        "MACs base": macs.base,
        "MACs head": macs.head,
        "MACs change": macs.head - macs.base,
    }
    if seconds:
        cells |= {"time base": 1e3 * seconds.base, "time head": 1e3 * seconds.head}
    return cells
