"""How a value is spelt for people."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ..cost import in_unit, scaled, three_digits
from ..tables import Column, Sheet, others


@dataclass(frozen=True)
class Text:
    """One column of strings.

    Attributes:
        header: the key with its unit.
        right: whether it holds numbers, which are aligned on the right.
        cells: one a row.
        total: the cell of the last row.
        bars: for a share column the lengths 0..1 of bars, 1 for the largest share.
        importance: as in `Column`; None where the column always stays.
        brief_end: what the last row is called where its name is cut; "" where that is as others.
    """

    header: str
    right: bool
    cells: tuple[str, ...]
    total: str
    bars: tuple[float, ...] = ()
    importance: int | None = None
    brief_end: str = ""

    @property
    def width(self) -> int:
        """Characters of the widest cell."""
        return max(map(len, (*self.cells, self.total)))


_EXACT = ("", ",d", "+,d")  # formats of exact counts, the last one of changes


def spell(value: Any, column: Column, *, brief: bool = False) -> str:
    """A value as people read it: 159.5K, 1,234, 28.0%; `brief`: three digits where it has a unit
    of its own."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if column.converted:
        return _converted(value, column.format)
    if brief and column.scaled and column.format in _EXACT:
        sign = "+" if column.format.startswith("+") and value >= 0 else ""
        return sign + three_digits(value) if value or sign else ""
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


def _converted(value: float, spec: str) -> str:
    """A number in a unit that is not its own: nothing for none of it, and <0.01 for what would
    round to that."""
    if not value:
        return ""
    text = format(value, spec)
    if text.strip("+-0.,"):
        return text
    decimals = text.partition(".")[2]
    return f"<0.{'0' * (len(decimals) - 1)}1" if decimals else "<1"


_LONG = 10**6  # from here on a count is longer than the same in a unit


def columns(sheet: Sheet, *, grouped: bool = False, brief: bool = False) -> list[Text]:
    """The sheet's columns for people as strings, each share column after its own; `grouped` leaves
    out the one whose values become headings; `brief`: exact counts in the unit that suits them,
    where that is shorter, and three digits of each."""
    found: list[Text] = []
    for c in sheet.columns:
        if c.detail or (grouped and c.key == sheet.group):
            continue
        values = [row.get(c.key) for row in sheet.rows]
        end = sheet.total.get(c.key) if sheet.total else None
        exact = c.format in _EXACT and not c.scale
        if brief and exact and any(map(_is_long, (*values, end))):
            c = replace(c, scaled=True)
        found.append(
            Text(
                c.header,
                c.unit != "" or any(not isinstance(v, str) and v is not None for v in values),
                tuple(_one_line(spell(v, c, brief=brief)) for v in values),
                spell(end, c, brief=brief),
                importance=c.importance if _may_go(c, first=not found) else None,
            )
        )
        if c.share and end:
            found.append(_shares([(v or 0) / end for v in values]))
    if found:
        found[0] = headed(found[0], sheet)
    return found


def headed(first: Text, sheet: Sheet) -> Text:
    """The first column with the names of the last rows: the total, and what stands for several
    rows. Beside its own numbers where it has some."""
    total = first.total if sheet.total is None else _beside("total", first, first.total)
    if not sheet.rest:
        return replace(first, total=total)
    end = _beside(others(sheet.rest), first, first.cells[-1])
    brief = "" if first.right else others(sheet.rest, brief=True)
    return replace(first, total=total, cells=(*first.cells[:-1], end), brief_end=brief)


def _beside(name: str, column: Text, cell: str) -> str:
    """The name of a row, and the cell that stands there where it is a number."""
    if not cell:
        return name
    return f"{name} {cell}" if column.right and name not in cell else cell


def _shares(parts: list[float]) -> Text:
    """The column of percentages beside its own, with a bar for each."""
    largest = max(parts, default=0.0)
    return Text(
        "%",
        True,
        tuple(f"{100 * p:.1f}" if p else "" for p in parts),
        "100.0",
        tuple(p / largest for p in parts) if any(parts) else (),
    )


def _may_go(column: Column, *, first: bool) -> bool:
    """Whether a narrow terminal may leave a column out: not what has a share or is one, nor the
    `first`, unless they are said to matter little."""
    percentage = column.share or column.unit == "%" or column.format.endswith("%")
    return not (percentage or first) or column.importance < Column("").importance


def _is_long(value: object) -> bool:
    return isinstance(value, int) and abs(value) >= _LONG


def _one_line(text: str) -> str:
    return " ".join(text.splitlines()) if "\n" in text else text
