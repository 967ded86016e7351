"""Where the cost goes along a network, and cost against published error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from .. import reference, zoo
from .._pictures import Picture, chart
from .._result import Charted
from ..cost import Convention, total
from ..tables import Column, Row, Sheet, Table, table
from ..trace import Trace
from ..trace.build import traced
from . import notes
from .compare import published

_Number = TypeVar("_Number", int, float)

MOST = 60  # steps; the cheapest rows beyond so many are one step at the end
MANY = 40  # rows; above it alike modules are one


@dataclass(frozen=True)
class Step:
    """A row of the network's table.

    Attributes:
        params: elements.
        macs: multiply-adds.
        activations: elements.
        params_so_far, macs_so_far: sums from the input to this row.
        id: of the row; "" for several rows together.
        seconds: measured in place; None where the trace is not measured.
        backward: multiply-adds of the backward pass; None where it is not traced.
    """

    name: str
    params: int
    macs: int
    activations: int
    params_so_far: int
    macs_so_far: int
    id: str
    seconds: float | None = None
    backward: int | None = None


@dataclass(frozen=True)
class Profile(Charted):
    """A network from input to output, rows without params, MACs and measured time left out;
    `convention`: what params are."""

    model: str
    steps: tuple[Step, ...]
    notes: tuple[str, ...]
    convention: Convention

    chart_kind = "stages"

    def chart(self, kind: str = "stages") -> Picture:
        """The chart "stages" or "cumulative".

        Raises ValueError for another kind, and where no row has params or MACs."""
        if kind not in ("stages", "cumulative"):
            raise ValueError(f"unknown chart {kind!r}; choose stages or cumulative")
        if not self.steps:
            raise ValueError(f"{self.model} has no params and no MACs to chart")
        return chart(kind, self, numbers=self.sheet)

    @property
    def trained(self) -> bool:
        """Whether the steps have a backward pass."""
        return any(s.backward is not None for s in self.steps)

    @property
    def measured(self) -> bool:
        """Whether the steps have times."""
        return any(s.seconds is not None for s in self.steps)

    @property
    def sheet(self) -> Sheet:
        """A row a step."""
        columns = (
            Column("stage"),
            Column("params", "params"),
            Column("MACs", "MACs"),
            Column("activations", "elements"),
            Column("params so far", "params"),
            Column("MACs so far", "MACs"),
            *([Column("backward", "MACs")] if self.trained else ()),
            *([Column("time", "ms", format=",.3f")] if self.measured else ()),
        )
        return Sheet(
            f"{self.model}: cost by stage",
            columns,
            tuple(
                {
                    "stage": s.name,
                    "params": s.params,
                    "MACs": s.macs,
                    "activations": s.activations,
                    "params so far": s.params_so_far,
                    "MACs so far": s.macs_so_far,
                    "backward": s.backward,
                    **({"time": 1e3 * s.seconds} if s.seconds is not None else {}),
                }
                for s in self.steps
            ),
            self.notes,
        )


def profile(
    trace: Trace,
    style: str = "auto",
    depth: int | None = None,
    convention: str | Convention | None = None,
) -> Profile:
    """The profile of a trace by the rows of its table, in the table's convention. Raises ValueError
    for an unknown style or convention."""
    t = table(trace, style, convention, depth, columns=["activations"], merge=False)
    if len(t.rows) > MANY:
        t = table(trace, style, convention, depth, columns=["activations"])
    shown, others = _split(t)
    parts = [_part(r) for r in shown]
    if others:
        parts.append(_together([_part(r) for r in others]))
    return Profile(t.title, tuple(_steps(parts)), notes.profile(t.notes), t.convention)


def _split(t: Table) -> tuple[list[Row], list[Row]]:
    """The rows that cost something: those that are a step each, and the cheapest where they are too
    many."""

    def share(row: Row) -> float:
        return max(row.macs / (t.macs or 1), row.params / (t.params or 1))

    rows = [r for r in t.rows if r.params or r.macs or r.seconds]
    places = MOST if len(rows) <= MOST else MOST - 1
    expensive = {r.id for r in sorted(rows, key=share, reverse=True)[:places]}
    return [r for r in rows if r.id in expensive], [r for r in rows if r.id not in expensive]


@dataclass(frozen=True)
class _Part:
    """A step without its running sums."""

    name: str
    id: str
    params: int
    macs: int
    activations: int
    seconds: float | None
    backward: int | None


def _part(row: Row) -> _Part:
    return _Part(
        row.name,
        row.id,
        row.params,
        row.macs,
        row.cells["activations"],
        row.seconds,
        row.cells.get("backward"),
    )


def _together(parts: Sequence[_Part]) -> _Part:
    return _Part(
        notes.other_rows(len(parts)),
        "",
        sum(p.params for p in parts),
        sum(p.macs for p in parts),
        sum(p.activations for p in parts),
        _sum(p.seconds for p in parts),
        _sum(p.backward for p in parts),
    )


def _sum(values: Iterable[_Number | None]) -> _Number | None:
    """The sum, or None where there is nothing to add."""
    present = [v for v in values if v is not None]
    return sum(present[1:], start=present[0]) if present else None


def _steps(parts: Iterable[_Part]) -> Iterator[Step]:
    params = macs = 0
    for p in parts:
        params, macs = params + p.params, macs + p.macs
        yield Step(
            p.name,
            p.params,
            p.macs,
            p.activations,
            params_so_far=params,
            macs_so_far=macs,
            id=p.id,
            seconds=p.seconds,
            backward=p.backward,
        )


@dataclass(frozen=True)
class Point:
    """A network: MACs (multiply-adds) and params from its trace, published top-5 error in percent
    with its setting; `front` where no other has fewer MACs and at most its error, or less error and
    at most its MACs."""

    name: str
    macs: int
    params: int
    top5: float
    setting: str
    front: bool


@dataclass(frozen=True)
class Pareto(Charted):
    """Cost against published error over the zoo."""

    points: tuple[Point, ...]

    chart_kind = "pareto"

    @property
    def sheet(self) -> Sheet:
        """A row a network, the cheapest first."""
        columns = (
            Column("network"),
            Column("MACs", "MACs"),
            Column("params", "params"),
            Column("top-5 error, published", "%"),
            Column("setting"),
            Column("Pareto front"),
        )
        return Sheet(
            "cost against published error",
            columns,
            tuple(
                {
                    "network": p.name,
                    "MACs": p.macs,
                    "params": p.params,
                    "top-5 error, published": p.top5,
                    "setting": p.setting,
                    "Pareto front": "yes" if p.front else "no",
                }
                for p in self.points
            ),
            notes.pareto(),
        )


def pareto() -> Pareto:
    """Every zoo network with a published top-5 error."""
    points = [p for r in reference.load("zoo_errors") if (p := _point(r["model"])) is not None]
    points.sort(key=lambda p: p.macs)
    return Pareto(tuple(replace(p, front=not any(_beats(q, p) for q in points)) for p in points))


def _point(name: str) -> Point | None:
    """A zoo network, not yet placed on the front; None without a published top-5 error."""
    _, top5, setting = published(name)
    if top5 is None:
        return None
    cost = total(traced(lambda: zoo.build(name), zoo.input_shape(name)))
    return Point(name, cost.macs, cost.params, top5, setting, front=False)


def _beats(one: Point, other: Point) -> bool:
    """Whether one is better than the other in MACs or error, and no worse in both."""
    no_worse = one.macs <= other.macs and one.top5 <= other.top5
    return no_worse and (one.macs, one.top5) != (other.macs, other.top5)
