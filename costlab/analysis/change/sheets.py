"""The columns of a change: base, head, and the change, absolute and relative, of each quantity."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ...tables import Column
from ..limits import QUANTITIES, spell
from .figures import Figures, difference, relative

_SIDES = ("base", "head")
_ALL = (*_SIDES, "change", "relative")


@dataclass(frozen=True)
class _Shown:
    """How a quantity is shown.

    Attributes:
        label: what it is called.
        unit: of its columns.
        printed: which of its columns are printed; CSV, JSON and Parquet have all.
        importance: of its change, where there is little room.
        digits: the format of its numbers.
        keys: the columns that it has.
    """

    label: str
    unit: str
    printed: tuple[str, ...] = ()
    importance: int = 1
    digits: str = ",d"
    keys: tuple[str, ...] = _ALL


# by name of `limits.QUANTITIES`, in the order of the columns
_QUANTITIES = {
    "params": _Shown("params", "params", _ALL, 7),
    "macs": _Shown("MACs", "MACs", _ALL, 8),
    "time": _Shown("time", "ms", _ALL, 6, ",.3f"),
    "predicted-ms": _Shown("predicted time", "ms", _ALL, 6, ",.4g"),
    "predicted-low-ms": _Shown("predicted time, low,", "ms", (), 1, ",.4g", _SIDES),
    "predicted-high-ms": _Shown("predicted time, high,", "ms", (), 1, ",.4g", _SIDES),
    "at-least-ms": _Shown("least time", "ms", _SIDES, 6, ",.4g", _SIDES),
    # a price of a block is its time once more: the notes have the price of the model
    "predicted-price": _Shown("predicted price", "", (), 1, ",.4g"),
    "predicted-low-price": _Shown("predicted price, low,", "", (), 1, ",.4g", _SIDES),
    "predicted-high-price": _Shown("predicted price, high,", "", (), 1, ",.4g", _SIDES),
    "at-least-price": _Shown("least price", "", (), 1, ",.4g", _SIDES),
    "peak": _Shown("peak memory", "bytes", ("change", "relative"), 4),
    "activations": _Shown("activations", "elements", ("change", "relative"), 3),
    "receptive-field": _Shown("receptive field", "positions", ("base", "head"), 2),
    "bytes": _Shown("bytes", "bytes"),
    "flops": _Shown("FLOPs", "FLOPs"),
    "integer-macs": _Shown("integer MACs", "MACs"),
}


def label(quantity: str) -> str:
    """What a quantity is called where it stands alone."""
    return _QUANTITIES[quantity].label.rstrip(",")


def compares(quantity: str) -> bool:
    """Whether the change of a quantity is shown: that of one end of an interval, or of a bound,
    says nothing."""
    return "change" in _QUANTITIES[quantity].keys


def quantities(figures: Figures) -> list[str]:
    """The quantities of some figures, as they are shown."""
    return [name for name in _QUANTITIES if name in figures]


def block_columns(figures: Figures) -> tuple[Column, ...]:
    """The columns of a row a block."""
    return (
        Column("block", importance=9),
        Column("what", importance=8),
        *(c for name in quantities(figures) for c in _columns(_QUANTITIES[name])),
        Column("differences", importance=5),
        Column("base module", detail=True, importance=1),
        Column("head module", detail=True, importance=1),
    )


def _columns(shown: _Shown) -> Iterator[Column]:
    """Of one quantity."""
    for key in shown.keys:
        yield Column(
            f"{shown.label} {key}",
            "%" if key == "relative" else shown.unit,
            format={"change": f"+{shown.digits}", "relative": "+.1%"}.get(key, shown.digits),
            detail=key not in shown.printed,
            importance=shown.importance if key in ("change", "relative") else 1,
        )


def cells(figures: Figures) -> dict[str, Any]:
    """The cells of a row by column key; none for what is not known."""
    found: dict[str, Any] = {}
    for name in quantities(figures):
        shown, sides = _QUANTITIES[name], figures[name]
        values = {
            "base": _value(sides.base, shown),
            "head": _value(sides.head, shown),
            "change": _value(difference(sides), shown),
            "relative": relative(sides),
        }
        known = {k: v for k, v in values.items() if k in shown.keys and v is not None}
        found |= {f"{shown.label} {k}": v for k, v in known.items()}
    return found


def _value(value: float | None, shown: _Shown) -> float | None:
    """In the unit of the columns; counts are whole numbers."""
    if value is None:
        return None
    if shown.unit == "ms":
        return 1e3 * value
    return round(value) if shown.digits == ",d" else value


def spelled(quantity: str, value: float | None, *, signed: bool = False) -> str:
    """A figure as people read it: 1.58G, +12.40MB, 3.210 ms; nothing for what is not known."""
    if value is None:
        return ""
    sign = ("-" if value < 0 else "+" if value > 0 else "") if signed else ""
    return sign + spell(abs(value) if signed else value, QUANTITIES[quantity].unit)
