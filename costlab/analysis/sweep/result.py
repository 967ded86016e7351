"""What a sweep found, and its table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..._result import Charted
from ...predict import Estimate
from ...tables import Column, Sheet
from ...tables.predicted import TEXTS, columns_of_text, spell_numbers
from ..price import Basis, Price, price_cells, price_columns, price_of
from . import notes

Configuration = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What one configuration gave: `result` by name, or None and the `reason`."""

    configuration: Configuration
    result: dict[str, Any] | None
    reason: str = ""

    def prices(self, rate: float) -> tuple[Price, ...]:
        """The price of a million inputs by each time that there is; `rate`: of an hour."""
        found = self.result or {}
        items = _items(found)
        return tuple(
            price_of(rate, basis, items, Estimate(*(1e-3 * found[name] for name in names)))
            for basis, names in _TIMES.items()
            if items and all(name in found for name in names)
        )


# of a result, the times in ms, as `Estimate` has them
_TIMES: dict[Basis, tuple[str, ...]] = {
    "measured": ("low", "ms", "high"),
    "predicted": ("predicted low", "predicted", "predicted high"),
    "at least": ("least",),
}


def _items(found: dict[str, Any]) -> int:
    """Inputs of a call; 0 where they are not known. Journals of before 2026-11-28 have the
    throughput alone."""
    throughput = 1e-3 * found["ms"] * found["rate"] if "rate" in found else 0
    return found.get("items", round(throughput))


class _Number(NamedTuple):
    """A number of a result: its name there, and its column."""

    name: str
    column: Column


_PREDICTED_TEXT, *_PREDICTED_COLUMNS = columns_of_text("ms (predicted)")
_LEAST_TEXT, _LEAST_COLUMN = columns_of_text("ms (at least)")
# the texts that people see instead of numbers, by the name of the first number
_TEXTS = {"predicted": _PREDICTED_TEXT, "least": _LEAST_TEXT}

# units as the columns say; of a result, "ms", "low" and "high" are the median time and its interval
_NUMBERS = (
    _Number("params", Column("params", "params")),
    _Number("macs", Column("MACs", "MACs")),
    _Number("activations", Column("activations", "elements")),
    _Number("memory", Column("peak memory, estimated", "bytes")),
    _Number("peak", Column("peak memory, measured", "bytes")),
    _Number("ms", Column("time", "ms", format=",.3f")),
    _Number("low", Column("time, low", "ms", format=",.3f")),
    _Number("high", Column("time, high", "ms", format=",.3f")),
    *map(_Number, ("predicted", "predicted low", "predicted high"), _PREDICTED_COLUMNS),
    _Number("outside", Column("outside what was measured", "%", format=".1%", detail=True)),
    _Number("least", _LEAST_COLUMN),
    _Number("rate", Column("throughput", "items/s", format=",.1f")),
)


_COUNTED = ("params", "macs", "activations", "memory")  # what every configuration has
_PREDICTED = ("predicted", "predicted low", "predicted high", "outside", "least")


def possible_columns(
    axes: Iterable[str], *, measured: bool, predicted: bool, priced: bool
) -> tuple[Column, ...]:
    """The columns that a sweep over these axes can have."""
    kinds: list[Basis] = [
        kind for kind in _TIMES if priced and (measured if kind == "measured" else predicted)
    ]
    timed = [n.name for n in _NUMBERS if n.name not in (*_COUNTED, *_PREDICTED)]
    names = {*_COUNTED, *(timed if measured else ()), *(_PREDICTED if predicted else ())}
    numbers = [n for n in _NUMBERS if n.name in names]
    return (*map(Column, axes), *_columns(numbers), *price_columns(kinds), Column("failed"))


@dataclass(frozen=True)
class Sweep(Charted):
    """All outcomes, in the order of the configurations; `axes` are the names that vary; `rate`: the
    price of an hour of the device, None for none."""

    axes: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    notes: tuple[str, ...] = ()
    rate: float | None = None

    chart_kind = "sweep"

    @property
    def failed(self) -> int:
        """How many configurations gave nothing."""
        return sum(o.result is None for o in self.outcomes)

    @property
    def sheet(self) -> Sheet:
        """A row a configuration."""
        numbers = [n for n in _NUMBERS if self._has(n.name)]
        prices = [o.prices(self.rate) if self.rate else () for o in self.outcomes]
        columns = (
            *(Column(axis) for axis in self.axes),
            *_columns(numbers),
            *price_columns(price.by for each in prices for price in each),
            *([Column("failed")] if self.failed else ()),
        )
        rows = tuple(
            {**_row(outcome, numbers), **price_cells(each)}
            for outcome, each in zip(self.outcomes, prices, strict=True)
        )
        counted = notes.configurations(len(self.outcomes), self.failed)
        said = (counted, *self._sources(), *([notes.rate(self.rate)] if self.rate else []))
        return Sheet("sweep", columns, rows, (*said, *self.notes))

    def _sources(self) -> list[str]:
        """Where predicted times are from; nothing without a profile."""
        found = [o.result for o in self.outcomes if o.result]
        said = dict.fromkeys(line for result in found for line in result.get("predicted by", ()))
        outside = [share for result in found if (share := result.get("outside"))]
        return [*said, *([notes.outside(outside, len(found))] if outside else [])]

    def _has(self, name: str) -> bool:
        return any(o.result and o.result.get(name) is not None for o in self.outcomes)


def _columns(numbers: Iterable[_Number]) -> Iterator[Column]:
    """Those of the numbers, with a text before the first one of each time by a profile."""
    for number in numbers:
        if number.name in _TEXTS:
            yield _TEXTS[number.name]
        yield number.column


def _row(outcome: Outcome, numbers: list[_Number]) -> dict[str, Any]:
    found = outcome.result or {}
    cells = {n.column.key: found.get(n.name) for n in numbers}
    return {**outcome.configuration, **cells, **_texts(cells), "failed": outcome.reason}


def _texts(cells: Mapping[str, Any]) -> dict[str, str]:
    """What people see of the times by a profile."""
    return {
        text.key: spell_numbers([cells[key] for key in TEXTS[text.key]])
        for text in _TEXTS.values()
        if all(cells.get(key) is not None for key in TEXTS[text.key])
    }
