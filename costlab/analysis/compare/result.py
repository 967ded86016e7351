"""Networks side by side, and the sheet that shows them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf
from typing import Any

from ..._pictures import Picture
from ..._pictures import diagram as picture_of
from ..._result import Charted
from ...predict import Prediction
from ...tables import Column, Sheet, display_names
from ...trace import Trace
from ..price import Energy, Price
from ..results import PublishedResult
from .notes import comparison_notes, comparison_sentences

Quantity = tuple[str, str, list[Any]]  # what it is, its unit, its value of each network

_TOTALS = (
    ("params", "elements", "params"),
    ("MACs", "multiply-adds", "macs"),
    ("activations", "elements", "activations"),
    ("depth", "layers with weights", "depth"),
)
_OF_A_STAGE = (
    ("MACs", "multiply-adds", "macs"),
    ("params", "elements", "params"),
    ("depth", "layers", "depth"),
)
_PUBLISHED = (("top-1 error, published", "top1"), ("top-5 error, published", "top5"))


@dataclass(frozen=True)
class Stage:
    """The layers of one network at one `stride` (input side / output side, to the nearest power of
    two; 0: the head, where there is no grid): `grids` the positions along each side, or the number
    of tokens; `params` elements, `macs` multiply-adds, `activations` elements, `depth` layers."""

    stride: int
    grids: tuple[tuple[int, ...], ...]
    params: int
    macs: int
    activations: int
    depth: int


@dataclass(frozen=True)
class Side:
    """One network: totals in the units of `Stage`, its stages, and its `published` error (None: not
    published); `seconds` of the whole model where it was measured, on `device`; `backward`
    multiply-adds of the backward pass where it was traced; `prediction` of its time where a profile
    was given; `energy` of a call where NVML gave it, and `prices` of a million inputs where a rate
    was given."""

    name: str
    params: int
    macs: int
    activations: int
    depth: int
    stages: tuple[Stage, ...]
    published: PublishedResult | None
    seconds: float | None = None
    device: str = ""
    backward: int | None = None
    prediction: Prediction | None = None
    energy: Energy | None = None
    prices: tuple[Price, ...] = ()


@dataclass(frozen=True)
class Comparison(Charted):
    """Two or more networks; the first is what the ratios are to. `caveats`: notes on how they were
    built and traced; `traces`: what was counted."""

    sides: tuple[Side, ...]
    traces: tuple[Trace, ...] = field(repr=False)
    caveats: tuple[str, ...] = ()

    chart_kind = "comparison"

    def diagram(self) -> Picture:
        """The networks beside each other on one scale; of two, what is not the same is marked.
        Needs the diagrams extra."""
        from ..diagram import compared

        return picture_of(*compared(*self.traces))

    @property
    def sentences(self) -> tuple[str, ...]:
        """What the first has against each other, in plain words."""
        return comparison_sentences(self)

    @property
    def sheet(self) -> Sheet:
        """A row a quantity and a stage, a column a network, then its ratio to the first."""
        names = display_names([s.name for s in self.sides])
        keys = [n if names.count(n) == 1 else f"{n} ({i + 1})" for i, n in enumerate(names)]
        first, *others = keys
        columns = [
            Column("what"),
            Column("unit", importance=2),
            *(Column(k, "count") for k in keys),
        ]
        columns += [Column(f"{k} / {first}", format=".2f", importance=3) for k in others]
        quantities = (*_totals(self.sides), *_stage_quantities(self.sides))
        rows = tuple(_row(quantity, keys) for quantity in quantities)
        notes = comparison_notes(self)
        return Sheet(" against ".join(names), tuple(columns), rows, notes, row_units="unit")


def _row(quantity: Quantity, keys: list[str]) -> dict[str, Any]:
    """The cells of a quantity: each value, and the ratio of each other network to the first. That
    of one end of two intervals, or of two bounds, says nothing."""
    what, unit, values = quantity
    ratios = {
        f"{key} / {keys[0]}": value / values[0]
        for key, value in zip(keys[1:], values[1:], strict=True)
        if value and values[0] and not what.endswith((", low", ", high", ", at least"))
    }
    return {"what": what, "unit": unit, **dict(zip(keys, values, strict=True)), **ratios}


def _totals(sides: tuple[Side, ...]) -> Iterator[Quantity]:
    """What is said of whole networks; what none has is left out."""
    for what, unit, name in _TOTALS:
        yield what, unit, [getattr(s, name) for s in sides]
    if any(s.backward for s in sides):
        yield "MACs of the backward pass", "multiply-adds", [s.backward for s in sides]
    for what, name in _PUBLISHED:
        errors = [getattr(s.published, name, None) for s in sides]
        if any(e is not None for e in errors):
            yield what, "%", errors
    if any(s.seconds for s in sides):
        yield "time, measured", "ms", [_ms(s.seconds) for s in sides]
    yield from _predicted([s.prediction for s in sides])
    yield from _money(sides)


def _predicted(predictions: list[Prediction | None]) -> Iterator[Quantity]:
    """The predicted times of networks and their 90% intervals, or their bounds."""
    totals = [p.total for p in predictions if p]
    if len(totals) < len(predictions):
        return
    if any(t.is_bound for t in totals):
        yield "time, at least", "ms", [_ms(t.low) for t in totals]
        return
    yield "time, predicted", "ms", [_ms(t.seconds) for t in totals]
    yield "time, predicted, low", "ms", [_ms(t.low) for t in totals]
    yield "time, predicted, high", "ms", [_ms(t.high) for t in totals]


def _money(sides: tuple[Side, ...]) -> Iterator[Quantity]:
    """Energy of an input where NVML gave it, and prices of a million where a rate was given."""
    if any(s.energy for s in sides):
        joules = [s.energy and round(s.energy.joules / s.energy.items, 6) for s in sides]
        yield "energy of an input, measured", "J", joules
    found = {price.by: None for s in sides for price in s.prices}
    for by in found:
        of_each = [next((p for p in s.prices if p.by == by), None) for s in sides]
        for end in ("low",) if by == "at least" else ("", "low", "high"):
            values = [p and getattr(p, end or "price") for p in of_each]
            said = f"price of a million inputs, {by}"
            yield f"{said}, {end}" if end and by != "at least" else said, "money", values


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(1e3 * seconds, 6)


def _stage_quantities(sides: tuple[Side, ...]) -> Iterator[Quantity]:
    """What is said of each stage, zeros where a network has none of its stride; the head last."""
    strides = {stage.stride for s in sides for stage in s.stages}
    for stride in sorted(strides, key=lambda v: v or inf):
        found = [next((st for st in s.stages if st.stride == stride), None) for s in sides]
        for what, unit, name in _OF_A_STAGE:
            values = [getattr(stage, name) if stage else 0 for stage in found]
            yield f"{_place(stride, found)}: {what}", unit, values


def _place(stride: int, stages: list[Stage | None]) -> str:
    """The stride with the grids of each network: stride 8 (28x28 | -)."""
    if not stride:
        return "head"
    grids = (
        ", ".join("x".join(map(str, grid)) for grid in stage.grids) if stage else ""
        for stage in stages
    )
    return f"stride {stride} ({' | '.join(text or '-' for text in grids)})"
