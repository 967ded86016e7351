"""Variants beside their base, and the sheets that show them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from ..._result import Result
from ...predict import Prediction, comparison_of_predictions
from ...tables import Column, Sheet, predicted_cells, predicted_columns
from ...trace import Timing
from ..change.figures import Sides, relative
from ..limits import QUANTITIES
from ..notes import price
from ..price import Price, price_cells, price_columns
from . import notes

COUNTED = ("params", "macs", "activations", "bytes", "peak")  # quantities that every trace has
_HEADERS = {"macs": "MACs"}
_IMPORTANCE = {"bytes": 3, "peak": 4}  # of the others 5: which columns go where there is no room
_UNITS = {"params": "params", "macs": "MACs", "activations": "elements"}


class Lead(Enum):
    """Which of two measured times is the shorter."""

    FASTER = "faster"
    SLOWER = "slower"
    NEITHER = "no difference"


@dataclass(frozen=True)
class Variant:
    """A version by name, with its figures by quantity, in the units of `limits.QUANTITIES`, and the
    `prediction` of its time where a profile was given; `prices` of a million inputs where a rate
    was given."""

    name: str
    figures: dict[str, float]
    prediction: Prediction | None = None
    prices: tuple[Price, ...] = ()

    def change(self, base: Variant, quantity: str) -> float | None:
        """The change from a base as a share of it; None where the base has nothing."""
        return relative(Sides(base.figures[quantity], self.figures[quantity]))


@dataclass(frozen=True)
class Condition:
    """What was measured in the same way: `name` is the device, the dtype, the layout and the input;
    `base` and `variants` are times of the whole model (None: that one was not measured so)."""

    name: str
    base: Timing
    variants: tuple[Timing | None, ...]

    def change(self, place: int) -> float | None:
        """The change of a variant's median, as a share of the base's."""
        time = self.variants[place]
        return time.median / self.base.median - 1 if time else None

    def lead(self, place: int) -> Lead | None:
        """Whether a variant is faster: its 95% interval and that of the base do not overlap."""
        time = self.variants[place]
        if time is None:
            return None
        if time.high < self.base.low:
            return Lead.FASTER
        return Lead.SLOWER if time.low > self.base.high else Lead.NEITHER


@dataclass(frozen=True)
class Variants(Result):
    """A base, its variants, and the conditions under which they were measured.

    Attributes:
        caveats: notes on how they were built and traced."""

    base: Variant
    others: tuple[Variant, ...]
    conditions: tuple[Condition, ...] = ()
    caveats: tuple[str, ...] = ()

    @property
    def sheet(self) -> Sheet:
        """A row a version: each quantity, with its change from the base."""
        columns = [Column("version")]
        for name in COUNTED:
            importance = _IMPORTANCE.get(name, 5)
            columns += [
                Column(
                    _HEADERS.get(name, name),
                    _UNITS.get(name, "bytes"),
                    scaled=True,
                    importance=importance,
                ),
                Column(
                    f"{_HEADERS.get(name, name)} change",
                    "%",
                    format="+.2%",
                    importance=importance,
                ),
            ]
        if self.base.prediction:
            columns += predicted_columns(self.base.prediction)
        versions = (self.base, *self.others)
        columns += price_columns(p.by for v in versions for p in v.prices)
        rows = tuple(self._counts(v) for v in versions)
        says = {_HEADERS.get(name, name): QUANTITIES[name].says for name in COUNTED}
        said = (
            *notes.counts(self.base.name, says),
            *comparison_of_predictions([(v.name, v.prediction) for v in versions if v.prediction]),
            *(f"{v.name}: {price(p)}" for v in versions for p in v.prices),
        )
        return Sheet("Variants", tuple(columns), rows, (*said, *self.caveats))

    def _counts(self, variant: Variant) -> dict[str, object]:
        cells: dict[str, object] = {"version": variant.name}
        for name in COUNTED:
            header = _HEADERS.get(name, name)
            cells[header] = int(variant.figures[name])
            change = None if variant is self.base else variant.change(self.base, name)
            cells[f"{header} change"] = "" if change is None else change
        if variant.prediction:
            cells |= predicted_cells(variant.prediction, variant.prediction.total)
        return {**cells, **price_cells(variant.prices)}

    @property
    def times(self) -> Sheet:
        """One row for each version and condition: its time, and its change from the base."""
        columns = (
            Column("measured on"),
            Column("version"),
            Column("time", "ms", format=",.3f"),
            Column("change", "%", format="+.1%"),
            Column("it is"),
        )
        rows = tuple(row for c in self.conditions for row in self._times(c))
        title = "Measured time of each version"
        return Sheet(title, columns, rows, notes.times(), group="measured on")

    def _times(self, condition: Condition) -> Iterator[dict[str, object]]:
        """The rows of one condition, the base first; a version that was not measured has none."""
        where = {"measured on": condition.name}
        yield {**where, "version": self.base.name, "time": 1e3 * condition.base.median}
        for place, variant in enumerate(self.others):
            time, lead = condition.variants[place], condition.lead(place)
            if time is not None and lead is not None:
                yield {
                    **where,
                    "version": variant.name,
                    "time": 1e3 * time.median,
                    "change": condition.change(place),
                    "it is": lead.value,
                }

    def sentences(self) -> tuple[str, ...]:
        """What each variant saves, and under which conditions it is faster."""
        return tuple(notes.sentence(self, place) for place in range(len(self.others)))
