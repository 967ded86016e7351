"""A table in typst: widths that fit the page, or a page turned for it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .cells import Text as Cells
from .cells import columns
from .document import Grid
from .sparse import SPARSE, emptiest, folded
from .typeset import quote, set_text

# points: the text's width upright and turned
ROOM = {"a4": (480, 690), "us-letter": (497, 640)}
MOST_ROWS = 1000  # of a table: 20 pages or more
_TOGETHER = 3  # the last rows, which are never on a page alone
_GAP, _BAR = 7, 14  # points: a cell's own margins, and what a bar takes
_SIDEWAYS = 430  # points: a table up to this height can be turned itself
_WHOLE = 400  # points: a table up to this height is not broken
# width of a letter of DejaVu Sans, in its size; numbers and words of tables are near it
_LETTER = 0.6
_BOLD = 1.1  # how much wider a bold letter is
_SHORT = 22  # letters of a cell up to which text is not folded
_LONG = 120  # letters of a cell beyond which its column gets no wider
_SIZES = (8.5, 7.5, 7.0)  # points: upright, then turned
_SIZES_TURNED = (7.5, 7.0)
_FEW = 3  # columns that are left out so that a page stays upright
_MIDDLE = 5  # the importance below which a column may go


@dataclass(frozen=True)
class TypstTable:
    """A table's typst source, and whether it needs the page turned."""

    source: str
    turned: bool


@dataclass(frozen=True)
class _Layout:
    """How a table is set: its columns, their widths in points, and the letters' size in points."""

    columns: Sequence[Cells]
    widths: Sequence[float]
    size: float
    turned: bool


def typst_table(grid: Grid, paper: str, sideways: bool) -> TypstTable:
    """The table with caption, label and notes, in the largest letters that fit. `sideways`: one
    that is too wide for a page is turned itself, where the page is wide enough for its rows."""
    grid = grid.first(MOST_ROWS)
    layout, hidden = _fitted(grid, ROOM[paper])
    room = ROOM[paper][layout.turned]
    notes = grid.sheet.notes
    if hidden:
        notes = (f"left out for width: {', '.join(hidden)}; the HTML report has them", *notes)
    height = _height(len(grid.sheet.rows), notes, layout, sum(layout.widths))
    if layout.turned and sideways and height < _SIDEWAYS:
        return TypstTable(_turned_figure(grid, layout, notes), turned=False)
    body = f"{_figure(grid, layout)} #label({quote(grid.id)})\n{_notes(notes, layout.turned)}"
    if _height(len(grid.sheet.rows), notes, layout, room) < _WHOLE:
        rule = "#block(breakable: false)[#show figure: set block(breakable: false)"
    else:
        rule = "#[#keep\n#show figure: set block(breakable: true)"
    return TypstTable(f"{rule}\n{body}]\n", layout.turned)


def _fitted(grid: Grid, room: tuple[int, int]) -> tuple[_Layout, list[str]]:
    """The layout, and the headers of the columns that are left out. What does not fit gives way in
    this order: a few columns of little importance go and many sparse ones become one, where that
    keeps the page upright; the page is turned; sparse columns go."""
    cols = columns(grid.sheet, grouped=True)
    upright, turned = room
    if layout := _layout(cols, _SIZES, upright, turned=False):
        return layout, []
    if not grid.main:
        for kept in _dropped(cols, _by_importance(cols)[:_FEW]):
            if layout := _layout(kept, _SIZES, upright, turned=False):
                return layout, _headers_without(cols, kept)
    for together in folded(cols):
        if layout := _layout(together, _SIZES, upright, turned=False):
            return layout, []
    if layout := _layout(cols, _SIZES_TURNED, turned, turned=True):
        return layout, []
    kept = cols
    for kept in _dropped(cols, emptiest(cols, SPARSE)):
        if layout := _layout(kept, _SIZES_TURNED, turned, turned=True):
            return layout, _headers_without(cols, kept)
    size = _SIZES_TURNED[-1]
    return _Layout(kept, _squeezed(kept, size, turned), size, True), _headers_without(cols, kept)


def _layout(
    cols: Sequence[Cells], sizes: Sequence[float], room: float, *, turned: bool
) -> _Layout | None:
    """The layout in the largest letters that fit; None where none do."""
    for size in sizes:
        if widths := _widths(cols, size, room):
            return _Layout(cols, widths, size, turned)
    return None


def _dropped(cols: Sequence[Cells], order: Sequence[Cells]) -> Iterator[list[Cells]]:
    """The columns without the first one of an order, without the first two, ..."""
    for count in range(1, len(order) + 1):
        gone = {id(c) for c in order[:count]}
        yield [c for c in cols if id(c) not in gone]


def _by_importance(cols: Sequence[Cells]) -> list[Cells]:
    """Columns that may go, the least important first."""
    return sorted(
        (c for c in cols if c.importance is not None and c.importance < _MIDDLE),
        key=lambda c: c.importance or 0,
    )


def _headers_without(cols: Sequence[Cells], kept: Sequence[Cells]) -> list[str]:
    stay = {id(c) for c in kept}
    return [c.header for c in cols if id(c) not in stay]


def _longest(column: Cells) -> int:
    """Letters of the longest cell."""
    return max((len(v) for v in (*column.cells, column.total)), default=0)


def _foldable(column: Cells) -> bool:
    """Whether the cells are long text, which may take several lines."""
    return not column.right and _longest(column) > _SHORT


def _needed(column: Cells, size: float) -> float:
    """Points that a column takes without folding a number, a short word or a word of its header."""
    cells = _longest(column)
    words = re.findall(r"[^ /+,]+[/+,]*", column.header) or [""]
    header = max(map(len, words)) * _BOLD
    letters = max(cells if column.right else min(cells, _SHORT), header)
    return letters * _LETTER * size + _GAP + (_BAR if column.bars else 0)


def _widths(cols: Sequence[Cells], size: float, room: float) -> list[float] | None:
    """Widths in points that fit `room`: numbers and short words take what they need, long text
    shares the rest; None where they do not fit."""
    widths = [_needed(c, size) for c in cols]
    texts = [i for i, c in enumerate(cols) if _foldable(c)]
    if not texts:
        return widths if sum(widths) <= room else None
    rest = room - sum(w for i, w in enumerate(widths) if i not in texts)
    floor = 9 * size
    if rest < sum(max(floor, widths[i]) for i in texts):
        return None
    lengths = [min(_longest(cols[i]), _LONG) for i in texts]
    for i, length in zip(texts, lengths, strict=True):
        share = rest * length / sum(lengths)
        widths[i] = max(floor, min(share, length * _LETTER * size + _GAP))
    return widths


def _squeezed(cols: Sequence[Cells], size: float, room: float) -> list[float]:
    """Widths where nothing fits: columns of words share what the numbers leave."""
    widths = [_needed(c, size) for c in cols]
    numbers = sum(w for w, c in zip(widths, cols, strict=True) if c.right)
    wanted = sum(w for w, c in zip(widths, cols, strict=True) if not c.right)
    left = max(0.3 * room, room - numbers)
    return [w if c.right else w * min(1, left / wanted) for w, c in zip(widths, cols, strict=True)]


def _turned_figure(grid: Grid, layout: _Layout, notes: Sequence[str]) -> str:
    """The table with its notes, turned by 90 degrees under its upright caption, where there is room
    for it."""
    return (
        f"#figure(kind: table, placement: auto, caption: [{set_text(grid.caption)}], "
        f"rotate(-90deg, reflow: true)[#block(width: {sum(layout.widths):.1f}pt)["
        f"#[{_table(grid, layout)}]\n#align(left)[{_notes(notes, turned=True)}]]]) "
        f"#label({quote(grid.id)})\n"
    )


def _figure(grid: Grid, layout: _Layout) -> str:
    return f"#figure(kind: table, caption: [{set_text(grid.caption)}])[{_table(grid, layout)}]"


def _table(grid: Grid, layout: _Layout) -> str:
    widths = ", ".join(f"{w:.1f}pt" for w in layout.widths)
    align = ", ".join(f"{'right' if c.right else 'left'} + horizon" for c in layout.columns)
    lines = ", \n".join(_lines(grid, layout.columns))
    return (
        f'#set text(size: {layout.size}pt, font: "DejaVu Sans", weight: "regular")\n'
        f"#table(columns: ({widths},), align: ({align},), {lines})"
    )


def _lines(grid: Grid, cols: Sequence[Cells]) -> Iterator[str]:
    """The header, the rows and the total with their rules."""
    thick, thin = "table.hline(stroke: 0.8pt)", "table.hline(stroke: 0.5pt)"
    yield thick
    yield f"table.header(repeat: true, {', '.join(_header(c.header) for c in cols)}, {thin})"
    rows = list(_rows(grid, cols))
    last = rows[-_TOGETHER:] if len(rows) > _TOGETHER else []
    yield from rows[: len(rows) - len(last)]
    if grid.sheet.total is not None:
        total = ", ".join(_cell(c.total, 0 if c.bars else None, "#bar(0)") for c in cols)
        last += [thin, total]
    if last:
        yield f"table.footer(repeat: false, {', '.join(last)})"
    yield thick


def _rows(grid: Grid, cols: Sequence[Cells]) -> Iterator[str]:
    """Each row, with the heading of the group that it begins; a faint rule between rows that take
    several lines."""
    headings = grid.sheet.headings() if grid.sheet.group else ()
    ruled = any(map(_foldable, cols))
    for i in range(len(grid.sheet.rows)):
        cells = ", ".join(_cell(c.cells[i], c.bars[i] if c.bars else None) for c in cols)
        heading = headings[i] if headings else ""
        before = f"table.cell(colspan: {len(cols)})[#strong[{set_text(heading)}]], "
        faint = "table.hline(stroke: 0.3pt + luma(75%)), " if ruled and i else ""
        yield faint + (before if heading else "") + cells


def _header(text: str) -> str:
    # a break may come after these marks in long names, so that no word leaves its column
    words = re.sub(r"([+,→/_.}])(?=\S)", "\\1\u200b", text)
    return f"[#strong[{set_text(words)}]]" if text else f"[{set_text(words)}]"


def _cell(text: str, share: float | None, bar: str = "") -> str:
    """A cell; with a share of the column's largest, its bar too."""
    words = re.sub(r"([+→/_.}])(?=[^\s\d])", "\\1\u200b", text)
    if share is None:
        return f"[{set_text(words)}]"
    return f"[#box[{set_text(words)} {bar or f'#bar({share:.4f})'}]]"


def _notes(notes: Sequence[str], turned: bool) -> str:
    """The notes, a line each; on a turned page, which is low, as one paragraph."""
    lines = [". ".join(notes)] if turned and notes else notes
    # blocks of their own: typst fails on a paragraph that a floating figure parts
    return "".join(
        f"#block(spacing: 4.5pt)[#text(size: 8pt, fill: luma(25%))[{set_text(note)}]]\n"
        for note in lines
    )


def _height(rows: int, notes: Sequence[str], layout: _Layout, room: float) -> float:
    """Points that the rows and the notes take, about."""
    lines = 0
    for i in range(rows):
        pairs = zip(layout.columns, layout.widths, strict=True)
        cells = (-(-len(c.cells[i]) * _LETTER * layout.size // (w - _GAP)) for c, w in pairs)
        lines += max([1, *cells])
    below = sum(-(-len(note) * 4 // room) * 12 for note in notes)
    return lines * (1.35 * layout.size + 5) + below
