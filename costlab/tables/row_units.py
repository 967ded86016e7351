"""Units of the rows of a table whose rows are quantities, such as a comparison of networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .selection import option_name, plain_name, unknown_column
from .sheet import Column, Sheet
from .units import Unit, unit_named, units_of

# by what the cell of a unit says: a column of such numbers
_KINDS = {
    "multiply-adds": Column("MACs", "MACs"),
    "elements": Column("elements", "elements"),
    "ms": Column("time", "ms"),
}


def rows_in_units(sheet: Sheet, units: Mapping[str, str], every: str) -> Sheet:
    """The rows of a sheet that has `row_units` in units, by their names: what is said of one kind
    of rows goes before what is said of all, under the name `every`.

    Raises ValueError for a kind that no row is of, and for a unit that it cannot be shown in."""
    known = {quantity(sheet, row): None for row in sheet.rows if _units(sheet, row)}
    for name in units:
        if name != every and plain_name(name) not in map(plain_name, known):
            raise ValueError(unknown_column(name, known).replace("column", "quantity"))
    chosen = {plain_name(name): unit for name, unit in units.items()}
    rows = tuple(_row(sheet, row, chosen, every) for row in sheet.rows)
    if rows == sheet.rows and every in units:
        listed = ", ".join(map(option_name, known))
        raise ValueError(f"no quantity has the unit {units[every]!r}; those with units: {listed}")
    return replace(sheet, rows=rows)


def quantity(sheet: Sheet, row: Mapping[str, Any]) -> str:
    """What a row is of, without its place and its kind: MACs of "stride 2 (112x112): MACs", time of
    "time, predicted, low"."""
    return str(row[sheet.columns[0].key]).rpartition(": ")[2].partition(",")[0]


def _units(sheet: Sheet, row: Mapping[str, Any]) -> tuple[Unit, ...]:
    """The units that a row can be shown in."""
    kind = _KINDS.get(str(row.get(sheet.row_units)))
    return units_of(kind, sheet.facts) if kind else ()


def _row(
    sheet: Sheet, row: dict[str, Any], chosen: Mapping[str, str], every: str
) -> dict[str, Any]:
    """A row in the unit that is chosen for its quantity, or for all of them. Raises ValueError for
    one that its quantity does not have."""
    name = plain_name(quantity(sheet, row))
    known = _units(sheet, row)
    wanted = chosen.get(name, chosen.get(every))
    unit = unit_named(wanted, known) if wanted is not None else None
    if unit is None:
        if name in chosen:
            choices = ", ".join(u.name for u in known)
            raise ValueError(f"no unit {chosen[name]!r} for {name}; choose {choices}")
        return row
    if unit.size == 1:
        return row
    numbers = {
        c.key: row[c.key] / unit.size
        for c in sheet.columns
        if c.unit == "count" and isinstance(row.get(c.key), (int, float))
    }
    said = str(row[sheet.row_units])
    return {**row, **numbers, sheet.row_units: unit.name if said == "ms" else f"{unit.name} {said}"}
