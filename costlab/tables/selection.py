"""Which columns of a table are shown, and in which order: names, as people write them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .._spelling import suggestion
from .names import others
from .sheet import Column, Note, Sheet

ASKED_FOR = 8  # the importance of columns that were asked for by name
SHARE = "%"  # after the name of a column whose share of the total is shown
ADD = "+"  # before the name of a column that is shown beside the others


def column_names(asked: str | Iterable[str]) -> tuple[str, ...]:
    """Names of columns as a list, from a comma-separated text or several names."""
    names = asked.split(",") if isinstance(asked, str) else asked
    return tuple(name for name in (n.strip() for n in names) if name)


def option_name(key: str) -> str:
    """A column's name as a comma-separated list takes it: output-size."""
    return re.sub(r"[,\s]+", "-", key)


def plain_name(name: str) -> str:
    """A name without what people spell in different ways: capitals, blanks, hyphens, commas."""
    return re.sub(r"[\s,_-]", "", name.removeprefix(ADD)).lower()


def found_column(name: str, columns: Sequence[Column], more: Iterable[str] = ()) -> Column:
    """The column that a name means: its key, its label, or either with the unit.

    Raises ValueError for one that is not there; `more` are names that might have been meant."""
    spellings: tuple[Callable[[str], str], ...] = (str, plain_name)
    for spelt in spellings:
        for column in columns:
            known = (column.key, column.label, column.header, column.machine_header)
            if spelt(name.removeprefix(ADD)) in map(spelt, filter(None, known)):
                return column
    keys = (c.label or c.key for c in columns)
    raise ValueError(unknown_column(name, dict.fromkeys((*keys, *more))))


def unknown_column(name: str, known: Iterable[str]) -> str:
    """What is said of a name that no column has."""
    name, names = name.removeprefix(ADD), [option_name(key) for key in known]
    near = suggestion(name, names)
    there_are = " The columns are" if near else "; the columns are"
    return f"unknown column {name!r}{near}{there_are} {', '.join(names)}"


def selected(sheet: Sheet, names: Sequence[str], more: Iterable[str] = ()) -> Sheet:
    """The sheet with the columns of these names, in this order, and the notes on them.

    `%` after a column is its share of the total. `+name` adds a column that is not shown by
    default. A list that has only such columns adds them too, with or without `+`: on their own they
    would have no names of rows beside them.

    Raises ValueError for a name that no column has, and for the share of a column without a total;
    `more` are names that might have been meant."""
    if not names:
        return sheet
    asked = list(_asked(sheet, names, more))
    if any(not (a.added or a.column.further or a.column.detail) for a in asked):
        plain_first = sorted(asked, key=lambda a: a.added)
        shares = {a.column.key for a in asked if a.share}
        keys = {a.column.key: a.shown for a in plain_first}
        return _only(sheet, tuple(replace(c, share=k in shares) for k, c in keys.items()))
    shown = {a.column.key: replace(a.shown, share=a.share or a.column.share) for a in asked}
    return replace(sheet, columns=tuple(shown.get(c.key, c) for c in sheet.columns))


@dataclass(frozen=True)
class _Asked:
    """A column that was asked for; `added`: beside the others; `share`: with its share."""

    column: Column
    added: bool
    share: bool

    @property
    def shown(self) -> Column:
        """The column as it is shown to people and machines; a narrow terminal drops it last."""
        importance = max(self.column.importance, ASKED_FOR)
        return replace(self.column, detail=False, print_only=False, importance=importance)


def _asked(sheet: Sheet, names: Sequence[str], more: Iterable[str]) -> Iterator[_Asked]:
    if names[0] == SHARE:
        raise ValueError("% is the share of the column before it; name a column first, as ops,%")
    for name, following in zip(names, (*names[1:], ""), strict=True):
        if name == SHARE:
            continue
        column = found_column(name, sheet.columns, more)
        if following == SHARE and not isinstance((sheet.total or {}).get(column.key), (int, float)):
            raise ValueError(f"the column {column.key} has no total that a share could be of")
        yield _Asked(column, name.startswith(ADD), following == SHARE)


def _only(sheet: Sheet, columns: tuple[Column, ...]) -> Sheet:
    keys = {c.key for c in columns}
    notes = tuple(n for n in sheet.notes if not isinstance(n, Note) or keys & {*n.columns})
    return replace(
        sheet,
        columns=columns,
        rows=name_rest(sheet.rows, sheet.rest, columns[0].key),
        notes=notes,
        group=sheet.group if sheet.group in keys else "",
    )


def name_rest(
    rows: tuple[dict[str, Any], ...], rest: int, first: str
) -> tuple[dict[str, Any], ...]:
    """The rows of a sheet whose last row stands for `rest` rows (0: for itself): that is said in
    the `first` column, unless there is a number."""
    if not rest:
        return rows
    cells = {key: value for key, value in rows[-1].items() if value != others(rest)}
    return (*rows[:-1], {first: others(rest), **cells})
