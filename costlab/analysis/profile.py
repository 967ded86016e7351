"""Where the cost goes along a network, and cost against published error."""

from __future__ import annotations

from dataclasses import dataclass

from .. import reference, zoo
from .._pictures import Picture, chart
from .._result import Charted
from ..cost import total
from ..tables import Column, Sheet, table
from ..trace import Trace
from ..trace.build import traced
from .compare import published


MOST = 60  # steps; what is cheaper than the dearest of so many is one step at the end
MANY = 40  # rows; above it alike modules are one


@dataclass(frozen=True)
class Step:
    """A row of the network's table: `params` elements, `macs` multiply-adds, `activations` elements, the running sums, `id`
    of the row, and `seconds` measured in place and `backward` multiply-adds (None: not measured, not traced)."""

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
    """A network from input to output, rows without params, MACs and measured time left out."""

    model: str
    steps: tuple[Step, ...]
    notes: tuple[str, ...]

    chart_kind = "stages"

    def chart(self, kind: str = "stages") -> Picture:
        """The chart "stages" or "cumulative". Raises ValueError for another kind."""
        if kind not in ("stages", "cumulative"):
            raise ValueError(f"unknown chart {kind!r}; choose stages or cumulative")
        return chart(kind, self)

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


def profile(trace: Trace, style: str = "auto", depth: int | None = None) -> Profile:
    """The profile of a trace by the rows of its table. Raises ValueError for an unknown style."""
    t = table(trace, style, "macs", depth, columns=["activations"], merge=False)
    if len(t.rows) > MANY:
        t = table(trace, style, "macs", depth, columns=["activations"])
    steps, params, macs = [], 0, 0
    rows = [r for r in t.rows if r.params or r.macs or r.seconds]
    dear = {
        r.id
        for r in sorted(
            rows, key=lambda r: -max(r.macs / (t.macs or 1), r.params / (t.params or 1))
        )[: MOST if len(rows) <= MOST else MOST - 1]
    }
    other = [r for r in rows if r.id not in dear]
    for r in rows:
        if r.id not in dear:
            continue
        params, macs = params + r.params, macs + r.macs
        steps.append(
            Step(
                r.name,
                r.params,
                r.macs,
                r.cells["activations"],
                params,
                macs,
                r.id,
                r.seconds,
                r.cells.get("backward"),
            )
        )
    if other:
        more = [
            sum(r.params for r in other),
            sum(r.macs for r in other),
            sum(r.cells["activations"] for r in other),
        ]
        steps.append(
            Step(
                f"{len(other)} other rows, each cheaper",
                *more,
                params + more[0],
                macs + more[1],
                "",
                sum(r.seconds for r in other) if other[0].seconds is not None else None,
                sum(r.cells["backward"] for r in other) if "backward" in other[0].cells else None,
            )
        )
    return Profile(
        t.title,
        tuple(steps),
        (
            "params with biases and norm scales; one MAC = one multiply-add; activations: outputs of convolutions and products",
            *t.notes[1:],
        ),
    )


@dataclass(frozen=True)
class Point:
    """A network: MACs (multiply-adds) and params from its trace, published top-5 error in percent with its setting; `front` where no
    other has both fewer MACs and less error."""

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
            (
                "MACs and params from traces; error as published, in settings that differ (see the column): not measured here",
            ),
        )


def pareto() -> Pareto:
    """Every zoo network with a published top-5 error."""
    found = []
    for r in reference.load("zoo_errors"):
        _, top5, setting = published(r["model"])
        if top5 is None:
            continue
        t = total(traced(lambda: zoo.build(r["model"]), zoo.input_shape(r["model"])))  # noqa: B023
        found.append((r["model"], t.macs, t.params, top5, setting))
    found.sort(key=lambda p: p[1])
    return Pareto(
        tuple(
            Point(
                *p,
                not any(
                    q[1] <= p[1] and q[3] < p[3] or q[1] < p[1] and q[3] <= p[3] for q in found
                ),
            )
            for p in found
        )
    )
