"""Networks side by side, and the sheet that shows them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf
from typing import Any, NamedTuple

from ..._pictures import Picture
from ..._pictures import diagram as picture_of
from ..._result import Charted
from ...predict import Estimate, Prediction
from ...tables import Column, Sheet, display_names
from ...trace import Trace
from ..price import Energy, Price
from ..results import PublishedResult
from .notes import comparison_notes, comparison_sentences


class Quantity(NamedTuple):
    """A row: what it is, its unit, and its value of each network; `compared`: whether ratios are
    shown, which of one end of an interval, or of a bound, say nothing."""

    what: str
    unit: str
    values: list[Any]
    compared: bool = True


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
    """The cells of a quantity: each value, and the ratio of each other network to the first."""
    values = quantity.values
    ratios = {
        f"{key} / {keys[0]}": value / values[0]
        for key, value in zip(keys[1:], values[1:], strict=True)
        if quantity.compared and value and values[0]
    }
    cells = dict(zip(keys, values, strict=True))
    return {"what": quantity.what, "unit": quantity.unit, **cells, **ratios}


def _totals(sides: tuple[Side, ...]) -> Iterator[Quantity]:
    """What is said of whole networks; what none has is left out."""
    for what, unit, name in _TOTALS:
        yield Quantity(what, unit, [getattr(s, name) for s in sides])
    if any(s.backward for s in sides):
        yield Quantity("MACs of the backward pass", "multiply-adds", [s.backward for s in sides])
    for what, name in _PUBLISHED:
        errors = [getattr(s.published, name, None) for s in sides]
        if any(e is not None for e in errors):
            yield Quantity(what, "%", errors)
    if any(s.seconds for s in sides):
        yield Quantity("time, measured", "ms", [_ms(s.seconds) for s in sides])
    yield from _predicted([s.prediction.total if s.prediction else None for s in sides])
    yield from _money(sides)


def _predicted(totals: list[Estimate | None]) -> Iterator[Quantity]:
    """The predicted times of networks and their 90% intervals, and their bounds."""
    found = [None if t is None or t.is_bound else t for t in totals]
    if any(found):
        yield Quantity("time, predicted", "ms", [t and _ms(t.seconds) for t in found])
        yield Quantity("time, predicted, low", "ms", [t and _ms(t.low) for t in found], False)
        yield Quantity("time, predicted, high", "ms", [t and _ms(t.high) for t in found], False)
    bounds = [t if t and t.is_bound else None for t in totals]
    if any(bounds):
        yield Quantity("time, at least", "ms", [t and _ms(t.low) for t in bounds], False)


def _money(sides: tuple[Side, ...]) -> Iterator[Quantity]:
    """Energy of an input where NVML gave it, and prices of a million where a rate was given."""
    if any(s.energy for s in sides):
        joules = [s.energy and s.energy.joules / s.energy.items for s in sides]
        yield Quantity("energy of an input, measured", "J", joules)
    found = {price.by: None for s in sides for price in s.prices}
    for by in found:
        of_each = [next((p for p in s.prices if p.by == by), None) for s in sides]
        for end in ("low",) if by == "at least" else ("", "low", "high"):
            values = [p and getattr(p, end or "price") for p in of_each]
            said = f"price of a million inputs, {by}"
            what = f"{said}, {end}" if end and by != "at least" else said
            yield Quantity(what, "money", values, compared=not end)


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else 1e3 * seconds


def _stage_quantities(sides: tuple[Side, ...]) -> Iterator[Quantity]:
    """What is said of each stage, zeros where a network has none of its stride; the head last."""
    strides = {stage.stride for s in sides for stage in s.stages}
    for stride in sorted(strides, key=lambda v: v or inf):
        found = [next((st for st in s.stages if st.stride == stride), None) for s in sides]
        for what, unit, name in _OF_A_STAGE:
            values = [getattr(stage, name) if stage else 0 for stage in found]
            yield Quantity(f"{_place(stride, found)}: {what}", unit, values)


def _place(stride: int, stages: list[Stage | None]) -> str:
    """The stride with the grids of each network: stride 8 (28x28 | -)."""
    if not stride:
        return "head"
    grids = (
        ", ".join("x".join(map(str, grid)) for grid in stage.grids) if stage else ""
        for stage in stages
    )
    return f"stride {stride} ({' | '.join(text or '-' for text in grids)})"
