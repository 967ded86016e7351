"""The units that the numbers of a column can be shown in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import floor, log10
from typing import Any

from ..cost import CONVENTIONS
from .predicted import TEXTS, spell_numbers
from .sheet import Column, Sheet

EXACT = "exact"
_DIGITS = 4  # of the largest number of a column


@dataclass(frozen=True)
class Unit:
    """One unit: its `name`, how many of the column's own it is (`size`), and what a header says."""

    name: str
    size: float
    header: str


def units_of(column: Column, facts: Mapping[str, Any]) -> tuple[Unit, ...]:
    """The units that a column's numbers can be shown in; none where they are ratios, names, or
    numbers of more than one kind. `facts`: the sheet's, whose convention says what K and M are."""
    if column.print_only and column.key not in TEXTS:
        return ()
    if column.unit == "ms":
        return Unit("us", 1e-3, "us"), Unit("ms", 1, "ms"), Unit("s", 1e3, "s")
    if column.unit == "bytes":
        sizes = [("k", 10**3), ("M", 10**6), ("G", 10**9), ("T", 10**12)]
        sizes += [("Ki", 2**10), ("Mi", 2**20), ("Gi", 2**30)]
        return Unit(EXACT, 1, "bytes"), *(Unit(f"{p}B", n, f"{p}B") for p, n in sizes)
    if column.unit not in ("MACs", "FLOPs", "params", "elements"):
        return ()
    convention = CONVENTIONS.get(facts.get("convention", ""), CONVENTIONS["macs"])
    sizes = [("K", convention.kilo), ("M", convention.mega), ("G", 10**9), ("T", 10**12)]
    return Unit(EXACT, 1, column.unit), *(Unit(p, n, _prefixed(p, column)) for p, n in sizes)


def _prefixed(prefix: str, column: Column) -> str:
    """GMACs, M elements, and M alone where the column's name says what it counts."""
    if column.unit == column.key:
        return prefix
    return prefix + column.unit if column.unit in ("MACs", "FLOPs") else f"{prefix} {column.unit}"


def unit_named(name: str, units: tuple[Unit, ...]) -> Unit | None:
    """The unit of a name, in capitals or not; M and MB are the same of bytes."""
    wanted = {name.lower(), f"{name.lower()}b"}
    return next((u for u in units if u.name.lower() in wanted), None)


def converted(sheet: Sheet, column: Column, unit: Unit) -> Sheet:
    """The sheet with the numbers of a column in a unit: exact values divided by its size, which
    people see with the same number of decimals in all rows. A column of texts and those of the
    numbers in them are converted together."""
    for text, numbers in TEXTS.items():
        keys = {c.key: c for c in sheet.columns}
        if text in keys and keys[text].print_only and column.key in (text, *numbers):
            sheet = _texts(sheet, keys[text], numbers, unit)
            for key in numbers:
                sheet = _numbers(sheet, keys[key], unit) if key in keys else sheet
            return sheet
    return _numbers(sheet, column, unit)


def _texts(sheet: Sheet, column: Column, numbers: Sequence[str], unit: Unit) -> Sheet:
    """The sheet with a column of texts in a unit, by the numbers that they are of."""

    def cell(row: Mapping[str, Any]) -> dict[str, Any]:
        values = [row[key] / unit.size for key in numbers if row.get(key) is not None]
        return {column.key: spell_numbers(values)} if values else {}

    rows = tuple({**row, **cell(row)} for row in sheet.rows)
    total = sheet.total and {**sheet.total, **cell(sheet.total)}
    shown = replace(column, unit=unit.header, label=_ms_label(column, unit), converted=True)
    return replace(_with_column(sheet, shown), rows=rows, total=total)


def _ms_label(column: Column, unit: Unit) -> str:
    """The label of a column whose key begins with "ms", in another unit."""
    return column.label or f"{unit.header}{column.key.removeprefix('ms')}"


def _numbers(sheet: Sheet, column: Column, unit: Unit) -> Sheet:
    if unit.name == EXACT:
        shown = replace(column, scale=None, scaled=False, format=_signed(column, "d"))
        return _with_column(sheet, shown)
    rows = tuple({**row, **_divided(row, column.key, unit.size)} for row in sheet.rows)
    total = sheet.total and {**sheet.total, **_divided(sheet.total, column.key, unit.size)}
    decimals = _decimals(row.get(column.key) for row in (*rows, total or {}))
    shown = replace(
        column,
        unit=unit.header,
        scale=None,
        scaled=False,
        format=_signed(column, f".{decimals}f"),
        converted=True,
        label=_ms_label(column, unit) if column.key.startswith("ms ") else column.label,
    )
    return replace(_with_column(sheet, shown), rows=rows, total=total)


def _with_column(sheet: Sheet, column: Column) -> Sheet:
    columns = (column if c.key == column.key else c for c in sheet.columns)
    return replace(sheet, columns=tuple(columns))


def _divided(row: Mapping[str, Any], key: str, size: float) -> dict[str, Any]:
    """The cell of a column in a unit of this size; none where it holds no number."""
    value = row.get(key)
    return {key: value / size} if isinstance(value, (int, float)) else {}


def _decimals(values: Iterable[object]) -> int:
    """Digits after the point that show the largest value with `_DIGITS` digits."""
    largest = max((abs(v) for v in values if isinstance(v, (int, float))), default=0)
    return max(0, _DIGITS - 1 - floor(log10(largest))) if largest else 0


def _signed(column: Column, kind: str) -> str:
    """A format with thousands separators, and with the sign that the column's own has."""
    return f"{'+' if column.format.startswith('+') else ''},{kind}"
