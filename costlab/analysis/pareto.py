"""Cost against published error: results of one protocol, each at the cost of its own network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from functools import cache
from typing import Any

from .. import reference, zoo
from .._result import Charted
from ..cost import Total, total
from ..tables import Column, Sheet
from ..trace.build import traced
from . import notes
from .results import SINGLE_CROP, Protocol, PublishedResult, published_for

_GIGA = 10**9


@dataclass(frozen=True)
class Point:
    """A zoo network with a published top-5 error.

    Attributes:
        macs: multiply-adds of one forward pass of the network that the error was printed for:
            traced, or as printed where the traced network is another.
        params: elements, traced; None where the traced network is another.
        top5: percent, as published.
        result: the printed row.
        protocol: of the points that are compared.
        traced_macs: multiply-adds of the traced network where it is not the printed one; None where
            it is.
        front: whether no other comparable network has fewer MACs and at most its error, or less
            error and at most its MACs.
    """

    name: str
    macs: int
    params: int | None
    top5: float
    result: PublishedResult
    protocol: Protocol
    traced_macs: int | None = None
    front: bool = False

    @property
    def comparable(self) -> bool:
        """Whether its error is of the compared protocol, and of the network that is traced."""
        protocol = self.result.protocol
        return protocol.known and protocol == self.protocol and self.traced_macs is None

    @property
    def why_not(self) -> str:
        """Why it is not comparable with the others; "" where it is."""
        return "; ".join(notes.not_compared(self))

    @property
    def mark(self) -> str:
        """The main reason in a few words, for a label; "" where it is comparable."""
        return next(iter(notes.not_compared(self)), "")


@dataclass(frozen=True)
class Pareto(Charted):
    """Cost against published error over the zoo. Points that are not of the `protocol`, or whose
    network is not the printed one, say why and are not on the front."""

    protocol: Protocol
    points: tuple[Point, ...]

    chart_kind = "pareto"

    @property
    def sheet(self) -> Sheet:
        """A row a network, the cheapest first."""
        columns = (
            Column("network"),
            Column("MACs", "MACs", scaled=True),
            Column("params", "params", scaled=True),
            Column("top-5, published", "%"),
            Column("front"),
            Column("not compared, because"),
            Column("setting", detail=True),
            Column("data", detail=True),
            Column("source", detail=True),
        )
        rows = tuple(map(_cells, self.points))
        return Sheet("cost against published error", columns, rows, notes.pareto(self.protocol))


def _cells(point: Point) -> dict[str, Any]:
    return {
        "network": point.name,
        "MACs": point.macs,
        "params": point.params,
        "top-5, published": point.result.top5,
        "front": ("yes" if point.front else "no") if point.comparable else "",
        "not compared, because": point.why_not,
        "setting": point.result.setting,
        "data": point.result.data,
        "source": point.result.source,
    }


def pareto(crops: str = SINGLE_CROP.crops) -> Pareto:
    """Every zoo network with a published top-5 error, compared where one network was tested on
    `crops` crops of each validation image.

    Raises ValueError where no network was."""
    protocol = replace(SINGLE_CROP, crops=crops)
    models = dict.fromkeys(row["model"] for row in reference.load("zoo_errors"))
    found = [_point(model, protocol) for model in models]
    points = sorted((p for p in found if p is not None), key=lambda p: p.macs)
    comparable = [p for p in points if p.comparable]
    if not comparable:
        raise ValueError(f"no network of the zoo has an error of {crops} crops; choose 1 or 10")
    return Pareto(protocol, tuple(_placed(p, comparable) for p in points))


def _point(model: str, protocol: Protocol) -> Point | None:
    """A zoo network, not yet placed; None without a published top-5 error."""
    results = [r for r in published_for(model) if r.top5 is not None]
    if not results:
        return None
    result = next((r for r in results if r.protocol == protocol), results[0])
    cost = _cost(model)
    point = Point(model, cost.macs, cost.params, float(result.top5 or 0), result, protocol)
    if result.cost is None or _prints_as(cost.macs, result.cost):
        return point
    printed = int(result.cost * _GIGA)
    return replace(point, macs=printed, params=None, traced_macs=cost.macs)


@cache
def _cost(model: str) -> Total:
    """Of a zoo network on its paper's input, traced once: neither changes."""
    return total(traced(lambda: zoo.build(model), zoo.input_shape(model)))


def _prints_as(macs: int, printed: Decimal) -> bool:
    """Whether a count in 1e9, rounded or cut to the printed digits, is what is printed."""
    exact = Decimal(macs) / _GIGA
    return printed in (exact.quantize(printed, mode) for mode in (ROUND_HALF_UP, ROUND_DOWN))


def _placed(point: Point, comparable: list[Point]) -> Point:
    front = point.comparable and not any(_beats(other, point) for other in comparable)
    return replace(point, front=front)


def _beats(one: Point, other: Point) -> bool:
    """Whether one is better than the other in MACs or error, and no worse in both."""
    no_worse = one.macs <= other.macs and one.top5 <= other.top5
    return no_worse and (one.macs, one.top5) != (other.macs, other.top5)
