"""Where the cost goes along a network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from .._pictures import Chart, chart
from .._result import Charted
from ..cost import Convention
from ..predict import Estimate, Prediction, time_name
from ..tables import (
    Column,
    Row,
    Sheet,
    Table,
    predicted_cells,
    predicted_columns,
    table,
)
from ..tables.predicted import LEAST, PREDICTED
from ..trace import Trace
from . import notes
from .ranking import in_order

_Number = TypeVar("_Number", int, float)

MOST = 60  # steps; the cheapest rows beyond so many are one step at the end


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
        predicted: time by a profile, or its bound; None where there is none.
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
    predicted: Estimate | None = None

    @property
    def predicted_seconds(self) -> float | None:
        """The predicted time, or the least one of a bound."""
        found = self.predicted
        return None if found is None else found.low if found.seconds is None else found.seconds


@dataclass(frozen=True)
class Profile(Charted):
    """A network from input to output, rows without params, MACs and measured time left out.

    Attributes:
        steps: the rows of the table; equal modules share a row, placed where the first one runs.
        convention: what params are.
        course: blocks that run one after the other, which sums up to a block are of.
        prediction: of the network, where a profile was given.
    """

    model: str
    steps: tuple[Step, ...]
    notes: tuple[str, ...]
    convention: Convention
    course: tuple[Step, ...]
    prediction: Prediction | None = field(default=None, repr=False)

    chart_kind = "stages"

    def chart(self, kind: str = "stages") -> Chart:
        """The chart "stages" or "cumulative".

        Raises ValueError for another kind, and where no row has params or MACs."""
        if kind not in ("stages", "cumulative"):
            raise ValueError(f"unknown chart {kind!r}; choose stages or cumulative")
        if not self.steps:
            raise ValueError(f"{self.model} has no params and no MACs to chart")
        drawn = self.in_order if kind == "cumulative" else self
        return chart(kind, drawn, numbers=drawn.sheet)

    @property
    def in_order(self) -> Profile:
        """The same by blocks that run one after the other."""
        return replace(self, steps=self.course)

    @property
    def trained(self) -> bool:
        """Whether the steps have a backward pass."""
        return any(s.backward is not None for s in self.steps)

    @property
    def measured(self) -> bool:
        """Whether the steps have times."""
        return any(s.seconds is not None for s in self.steps)

    @property
    def quantities(self) -> tuple[str, ...]:
        """What the steps have, as captions say it."""
        return (
            "params",
            "MACs",
            *(["backward MACs"] if self.trained else ()),
            "activations",
            *(["measured time"] if self.measured else ()),
            *([time_name(self.prediction)] if self.prediction else ()),
        )

    @property
    def summed_up(self) -> str:
        """What is summed up from stage to stage, as captions say it."""
        if self.prediction is None:
            return "params and MACs"
        return f"params, MACs and {time_name(self.prediction)}"

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
            *(predicted_columns(self.prediction) if self.prediction else ()),
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
                    **self._predicted(s),
                }
                for s in self.steps
            ),
            self.notes,
        )

    def _predicted(self, step: Step) -> dict[str, Any]:
        """The cells of a step's predicted time."""
        if self.prediction is None or step.predicted is None:
            return {}
        return predicted_cells(self.prediction, step.predicted)


def profile(
    trace: Trace,
    style: str = "auto",
    depth: int | None = None,
    convention: str | Convention | None = None,
) -> Profile:
    """The profile of a trace by the rows of its table, in the table's convention. Raises ValueError
    for an unknown style or convention."""
    t = table(trace, style, convention, depth, columns=["activations"])
    shown, others = _split(t)
    parts = [_part(r, t.prediction) for r in shown]
    if others:
        rest = tuple(i for r in others for i in r.ops)
        time = t.prediction.over(rest) if t.prediction else None
        parts.append(replace(_together([_part(r) for r in others]), predicted=time))
    ordered = [_part(r, t.prediction) for r in _with_cost(in_order(t, trace))]
    return Profile(
        t.title,
        tuple(_steps(parts)),
        notes.profile(t.notes),
        t.convention,
        tuple(_steps(ordered)),
        t.prediction,
    )


def _with_cost(rows: Iterable[Row]) -> list[Row]:
    """The rows with params or MACs, or a time that was measured or predicted."""
    return [r for r in rows if r.params or r.macs or r.seconds or _predicted(r)]


def _predicted(row: Row) -> float:
    return row.cells.get(PREDICTED) or row.cells.get(LEAST) or 0.0


def _split(t: Table) -> tuple[list[Row], list[Row]]:
    """The rows that cost something: those that are a step each, and the cheapest where they are too
    many."""

    def share(row: Row) -> float:
        return max(row.macs / (t.macs or 1), row.params / (t.params or 1))

    rows = _with_cost(t.rows)
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
    predicted: Estimate | None = None


def _part(row: Row, prediction: Prediction | None = None) -> _Part:
    return _Part(
        row.own_name,
        row.id,
        row.params,
        row.macs,
        row.cells["activations"],
        row.seconds,
        row.cells.get("backward"),
        prediction.over(row.ops) if prediction else None,
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
            predicted=p.predicted,
        )
