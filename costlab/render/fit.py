"""A table in the width of a terminal: columns shortened, or dropped by importance."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..tables import Sheet
from .cells import Text, columns, headed
from .shorten import compact, is_list, shorten_alike

GAP = 2  # characters between two columns
_MIDDLE = 5  # the importance of a column that has none of its own
_ROOMY, _SHORT, _LEAST = 20, 12, 4  # characters that a text keeps: first, then, and at last
_LIST = 34  # characters of a list of layers, for which less important columns go
_HEAD, _TIGHT_HEAD = 10, 6  # characters below which a header is not folded
_PARTS = re.compile(r"[^ +,→]+[ +,→]*|[ +,→]+")  # a header may be cut after these
_TIGHT_PARTS = re.compile(r"[^ +,→/:]+[ +,→/:]*|[ +,→/:]+")


@dataclass(frozen=True)
class Fitted:
    """The columns that are shown, each with the lines of its header; `hidden`: headers of those
    that are not; `shortened`: whether texts were cut; `room`: characters left over, negative where
    even this is too wide."""

    columns: tuple[Text, ...]
    heads: tuple[tuple[str, ...], ...]
    hidden: tuple[str, ...] = ()
    shortened: bool = False
    room: int = 0

    @property
    def widths(self) -> tuple[int, ...]:
        """Characters of each column."""
        return tuple(map(_width, self.columns, self.heads))


def whole(sheet: Sheet) -> Fitted:
    """All columns as they are; long headers are folded."""
    return _headed(columns(sheet, grouped=True), _HEAD, _PARTS)


def fit(sheet: Sheet, width: int) -> Fitted:
    """The columns in `width` characters.

    What does not fit gives way in this order: exact counts take a unit, headers are folded
    tightly, long texts are cut, columns are dropped by importance, and texts are cut further."""
    found = whole(sheet)
    if _total(found) <= width:
        return replace(found, room=width - _total(found))
    every = columns(sheet, grouped=True, brief=True)
    kept = _kept(every, width)
    if kept[0] is not every[0]:  # which named the last rows: another column does, and needs room
        first, *others = every[every.index(kept[0]) :]
        kept = _kept([replace(headed(first, sheet), importance=None), *others], width)
    shown = {c.header for c in kept}
    hidden = tuple(c.header for c in every if c.header not in shown)
    found = _tight(_cut(kept, width))
    return replace(
        found,
        hidden=hidden,
        shortened=any(a.cells != b.cells for a, b in zip(found.columns, kept, strict=True)),
        room=width - _total(found),
    )


def _kept(cols: list[Text], width: int) -> list[Text]:
    """The columns that stay: those below the middle importance go before texts are cut below
    `_ROOMY`; what then has room again comes back."""
    roomy = max(_ROOMY, _lists(cols))
    kept = _dropped(cols, width, roomy, below=_MIDDLE)
    if not _fits(kept, width, _ROOMY):
        kept = _dropped(kept, width, _SHORT, below=None)
    gone = [c for c in cols if c not in kept]
    for column in sorted(gone, key=lambda c: -(c.importance or 0)):
        more = [c for c in cols if c in kept or c in _with(column, gone)]
        if _fits(more, width, roomy):
            kept = more
    return kept


def _lists(cols: Sequence[Text]) -> int:
    """Characters of the longest list of layers in its compact form, if that can be shown whole."""
    widths = (len(compact(cell)) for c in cols for cell in c.cells if is_list(cell))
    return min(max(widths, default=0), _LIST)


def _dropped(cols: list[Text], width: int, least: int, below: int | None) -> list[Text]:
    """Without the least important columns, as many as do not fit with texts of `least` characters;
    with `below`, only columns below this importance, and those of the same one together."""
    kept = list(cols)
    while not _fits(kept, width, least):
        found = [c for c in reversed(kept) if c.importance is not None]
        if below is not None:
            found = [c for c in found if c.importance is not None and c.importance < below]
        if not found:
            break
        gone = _with(min(found, key=lambda c: c.importance or 0), found)
        kept = [c for c in kept if c not in gone]
    return kept


def _with(column: Text, cols: list[Text]) -> list[Text]:
    """A column, and those that come and go with it: of the same importance below the middle."""
    if column.importance is None or column.importance >= _MIDDLE:
        return [column]
    return [c for c in cols if c.importance == column.importance]


def _cut(cols: list[Text], width: int) -> list[Text]:
    """Texts cut evenly, the longest first, until the columns fit."""
    longest = max((c.width for c in cols if not c.right), default=0)
    for least in range(longest, _LEAST, -1):
        if _fits(cols, width, least):
            return _cut_to(cols, least)
    return _cut_to(cols, _LEAST)


def _cut_to(cols: Sequence[Text], width: int) -> list[Text]:
    return [
        c if c.right or c.width <= width else _cut_one(c, width, names=place == 0)
        for place, c in enumerate(cols)
    ]


def _cut_one(column: Text, width: int, *, names: bool) -> Text:
    cells = shorten_alike(column.cells, width, names=names)
    if column.brief_end and cells[-1] != column.cells[-1]:
        cells = (*cells[:-1], column.brief_end)
    return replace(column, cells=cells)


def _fits(cols: Sequence[Text], width: int, least: int) -> bool:
    """Whether the columns fit with texts of `least` characters."""
    return _total(_tight(_cut_to(cols, least))) <= width


def _tight(cols: Sequence[Text]) -> Fitted:
    return _headed(cols, _TIGHT_HEAD, _TIGHT_PARTS)


def _headed(cols: Sequence[Text], least: int, parts: re.Pattern[str]) -> Fitted:
    """With headers folded to the width of the cells, but not below `least` characters."""
    heads = [fold_header(c.header, max(least, c.width), parts) for c in cols]
    tall = max(map(len, heads), default=1)
    return Fitted(tuple(cols), tuple(("",) * (tall - len(h)) + tuple(h) for h in heads))


def fold_header(header: str, width: int, parts: re.Pattern[str] = _PARTS) -> list[str]:
    """A header in lines of at most `width` characters, cut after its parts where it has any."""
    lines = [""]
    for part in parts.findall(header):
        if lines[-1] and len(lines[-1]) + len(part.rstrip()) > width:
            lines.append("")
        lines[-1] += part
    return [line.strip() for line in lines]


def _width(column: Text, head: Sequence[str]) -> int:
    return max(column.width, *map(len, head))


def _total(found: Fitted) -> int:
    return sum(found.widths) + GAP * (len(found.columns) - 1)
