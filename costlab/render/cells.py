"""How a value is spelt for people."""

from __future__ import annotations

from dataclasses import dataclass

from ..cost import in_unit, scaled
from ..tables import Column, Sheet


@dataclass(frozen=True)
class Text:
    """One column of strings: its header, whether numbers (right-aligned), a cell a row, the
    total's cell, and for a share column the lengths 0..1 of bars, 1 for the largest share."""

    header: str
    right: bool
    cells: tuple[str, ...]
    total: str
    bars: tuple[float, ...] = ()


def spell(value, column: Column) -> str:
    """A value as people read it: 159.5K, 1,234, 28.0%."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if column.format:
        return format(value, column.format)
    if column.scaled:
        return scaled(value) if value else ""
    if column.scale:
        return in_unit(value, *column.scale) if value else ""
    return (
        f"{value:,}"
        if isinstance(value, int)
        else f"{value:,.4g}"
        if isinstance(value, float)
        else str(value)
    )


def columns(sheet: Sheet, *, grouped: bool = False) -> list[Text]:
    """The sheet's columns for people as strings, each share column after its own; `grouped` leaves
    out the one whose values become headings."""
    found = []
    for c in sheet.columns:
        if c.detail or (grouped and c.key == sheet.group):
            continue
        values = [row.get(c.key) for row in sheet.rows]
        end = sheet.total.get(c.key) if sheet.total else None
        numeric = any(not isinstance(v, str) and v is not None for v in values)
        found.append(
            Text(
                c.header, numeric or c.unit != "", tuple(spell(v, c) for v in values), spell(end, c)
            )
        )
        if c.share and end:
            parts = tuple(v / end if v else 0.0 for v in values)
            found.append(
                Text(
                    "%",
                    True,
                    tuple(f"{100 * p:.1f}" if p else "" for p in parts),
                    "100.0",
                    tuple(p / max(parts) for p in parts),
                )
            )
    if sheet.total is not None and found and not found[0].total:
        found[0] = Text(found[0].header, found[0].right, found[0].cells, "total")
    return found
