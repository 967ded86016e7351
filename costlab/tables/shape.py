"""How a reader wants a table: which columns, what they are called, in which units, and what stands
above it. Every command and every format takes it from here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from .row_units import rows_in_units
from .selection import found_column, option_name, selected
from .sheet import Caption, Column, Sheet
from .units import converted, unit_named, units_of

ALL = ""  # in `Shape.units`: every column that can be shown in the unit
_TAKEN = ("id", "notes")  # columns that CSV has beside the table's own


@dataclass(frozen=True)
class Shape:
    """What is changed of a table before it is shown; the counts stay what they are.

    Attributes:
        columns: names of those that are shown, in order; `+name` adds one to the default.
        labels: name of a column -> what heads it instead.
        units: name of a column, or `ALL` -> the unit of its numbers, such as G.
        title: what heads the table instead of its own title; "" for none.
        caption: a sentence on the table; "" for none.
        label: what references to it name.
    """

    columns: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    units: Mapping[str, str] = field(default_factory=dict[str, str])
    title: str | None = None
    caption: str = ""
    label: str = ""

    def of(self, sheet: Sheet) -> Sheet:
        """A sheet in this shape.

        Raises ValueError for a column that it does not have, a unit that a column cannot be shown
        in, and a label that another column has."""
        if sheet.row_units and self.units:
            sheet = selected(rows_in_units(sheet, self.units, ALL), self.columns)
        else:
            sheet = _in_units(selected(sheet, self.columns), self.units)
        return self._headed(_labelled(sheet, self.labels))

    def require(self, columns: Sequence[Column]) -> None:
        """Raises ValueError, as `of` does, for what no sheet with these columns can be shown in."""
        self.of(Sheet("", tuple(columns), (), total={c.key: 0 for c in columns}))

    def _headed(self, sheet: Sheet) -> Sheet:
        """With title and caption."""
        caption = Caption(
            self.caption or sheet.caption.text,
            self.label or sheet.caption.label,
            self.title or sheet.caption.short,
        )
        title = sheet.title if self.title is None else self.title
        return replace(sheet, title=title, caption=caption)


def _labelled(sheet: Sheet, labels: Mapping[str, str]) -> Sheet:
    """The columns with their labels."""
    given = {found_column(name, sheet.columns).key: text for name, text in labels.items()}
    columns = tuple(replace(c, label=given.get(c.key, c.label)) for c in sheet.columns)
    headers = [c.machine_header for c in columns]
    for key, text in given.items():
        header = next(c.machine_header for c in columns if c.key == key)
        if not text:
            raise ValueError(f"the column {key} has no name left; give it one")
        if headers.count(header) > 1 or header in _TAKEN:
            raise ValueError(f"another column is called {text!r}; give {key} another name")
    return replace(sheet, columns=columns)


def _in_units(sheet: Sheet, units: Mapping[str, str]) -> Sheet:
    """The columns in their units: what is said of one column goes before what is said of all."""
    chosen: set[str] = set()
    for name, unit in units.items():
        if name != ALL:
            column = found_column(name, sheet.columns)
            sheet = _in_unit(sheet, column, unit)
            chosen.add(column.key)
    if ALL in units:
        sheet = _all_in_unit(sheet, units[ALL], chosen)
    return sheet


def _in_unit(sheet: Sheet, column: Column, name: str) -> Sheet:
    known = units_of(column, sheet.facts)
    unit = unit_named(name, known)
    if unit is not None:
        return converted(sheet, column, unit)
    if not known:
        raise ValueError(f"the column {column.key} has no units; {_units(sheet)}")
    choices = ", ".join(u.name for u in known)
    raise ValueError(f"no unit {name!r} for the column {column.key}; choose {choices}")


def _all_in_unit(sheet: Sheet, name: str, chosen: set[str]) -> Sheet:
    """Every column but those that are `chosen`, where it can be shown in the unit."""
    found = [
        (column, unit)
        for column in sheet.columns
        if column.key not in chosen
        and (unit := unit_named(name, units_of(column, sheet.facts))) is not None
    ]
    if not found:
        raise ValueError(f"no column has the unit {name!r}; {_units(sheet)}")
    for column, unit in found:
        current = next(c for c in sheet.columns if c.key == column.key)
        sheet = sheet if current.converted else converted(sheet, column, unit)
    return sheet


def _units(sheet: Sheet) -> str:
    """Which columns have which units."""
    words: dict[str, list[str]] = {}
    for column in sheet.columns:
        if known := units_of(column, sheet.facts):
            words.setdefault(", ".join(u.name for u in known), []).append(option_name(column.key))
    said = [f"{', '.join(columns)}: {units}" for units, columns in words.items()]
    return f"there are {'; '.join(said)}" if said else "this table has columns without units alone"
