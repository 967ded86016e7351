"""Text for a pipe and for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from ..tables import Sheet
from .cells import Text
from .fit import GAP, Fitted, fit, whole

_BLOCKS = " ▏▎▍▌▋▊▉█"
_WIDEST_BAR, _NARROWEST_BAR = 8, 3


def plain(sheet: Sheet) -> str:
    """Aligned text; long headers are folded over several lines, groups have a heading each."""
    sheet = sheet.shortened.printable
    lines = _lines(whole(sheet), sheet)
    rule = "-" * lines.width
    end = [rule, lines.total] if sheet.total is not None else []
    above = filter(None, (sheet.title, sheet.caption.text))
    return "\n".join([*above, *lines.head, rule, *lines.body, *end, *sheet.notes]) + "\n"


def terminal(
    sheet: Sheet, file: IO[str] | None = None, width: int | None = None, *, wide: bool = False
) -> None:
    """Print in the width of the terminal, each row on one line: columns that do not fit are
    shortened or left out, and a line says which. Bars stand beside the shares where there is room.

    Args:
        file: where to print; standard output by default.
        width: characters; the terminal's by default.
        wide: all columns as they are, however wide.

    Raises ModuleNotFoundError without rich."""
    from rich.console import Console
    from rich.text import Text as Styled

    sheet = sheet.shortened.printable
    console = Console(file=file, width=width, highlight=False)
    found = fit(sheet, 10**6 if wide else console.width)
    lines = _lines(found, sheet, _bar_width(found))

    def row(text: str, style: str = "") -> None:
        console.print(_with_bars(text, style), soft_wrap=True)

    for text in filter(None, (sheet.title, sheet.caption.text)):
        console.print(Styled(text, style="italic"))
    for text in lines.head:
        row(text, "bold")
    row("─" * lines.width)
    for text in lines.body:
        row(text)
    if sheet.total is not None:
        row("─" * lines.width)
        row(lines.total, "bold")
    for note in (*_not_shown(found), *sheet.notes):
        console.print(Styled(note, style="dim"))


def _not_shown(found: Fitted) -> Sequence[str]:
    """What a narrow terminal left out, and how to see it."""
    if found.hidden:
        return (f"not shown at this width: {', '.join(found.hidden)}; --wide shows all",)
    return (
        ("some cells are shortened to fit; --wide shows them in full",) if found.shortened else ()
    )


@dataclass(frozen=True)
class _Lines:
    """A table as lines of `width` characters; the body has the headings of groups."""

    head: list[str]
    body: list[str]
    total: str
    width: int


def _lines(found: Fitted, sheet: Sheet, bar: int = 0) -> _Lines:
    """The lines of a table, with bars of so many characters after the shares."""
    cols, widths = found.columns, found.widths

    def line(cells: Sequence[str], bars: Sequence[str]) -> str:
        parts = [
            (text.rjust(w) if c.right else text.ljust(w)) + mark
            for text, mark, w, c in zip(cells, bars, widths, cols, strict=True)
        ]
        return (" " * GAP).join(parts).rstrip()

    blank = [" " * (bar + 1) if c.bars and bar else "" for c in cols]
    body: list[str] = []
    for i, heading in enumerate(sheet.headings()):
        if heading:
            body += ["", heading] if i else [heading]
        body.append(line([c.cells[i] for c in cols], [_mark(c, i, bar) for c in cols]))
    return _Lines(
        [line(cells, blank) for cells in zip(*found.heads, strict=True)],
        body,
        line([c.total for c in cols], blank),
        sum(widths) + GAP * (len(widths) - 1) + sum(map(len, blank)),
    )


def _bar_width(found: Fitted) -> int:
    """Characters of each bar; 0 where there is no room for bars that say something."""
    bars = sum(1 for c in found.columns if c.bars)
    width = min(_WIDEST_BAR, found.room // bars - 1) if bars else 0
    return width if width >= _NARROWEST_BAR else 0


def _mark(column: Text, row: int, width: int) -> str:
    """A space and the bar of a cell, from one edge in all rows."""
    if not column.bars or not width:
        return ""
    full, part = divmod(round(column.bars[row] * width * 8), 8)
    return " " + ("█" * full + (_BLOCKS[part] if part else "")).ljust(width)


def _with_bars(line: str, style: str):
    """A line with its bars in colour."""
    from rich.text import Text as Styled

    text = Styled(line, style=style)
    text.highlight_regex(f"[{_BLOCKS[1:]}]+", "cyan")
    return text
