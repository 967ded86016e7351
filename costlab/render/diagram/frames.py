"""Several diagrams on one scale: a frame each, in rows, with what is saved between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...analysis.diagram import Diagram
from .drawing import Block, darkest, drawn, heading, legend, text
from .geometry import Piece, Room
from .metrics import SMALLEST
from .pages import in_columns, single

Sheet = tuple[Block, Block, Block]  # heading, drawing and legend of a page
_BETWEEN = 62.0  # points between frames, for what is saved
_INNER = 8.0  # points between a frame and what is in it
_NARROWEST = 110.0  # points of a frame's inside
_ROWS = 12.0  # points between rows


@dataclass(frozen=True)
class _Frame:
    """A diagram, placed, with its heading."""

    diagram: Diagram
    piece: Piece
    head: Block
    inside: float

    @property
    def width(self) -> float:
        return self.inside + 2 * _INNER

    @property
    def height(self) -> float:
        return self.head.height + self.piece.height + 2 * _INNER


def framed(diagrams: Sequence[Diagram], room: Room, a_row: int) -> list[Sheet] | None:
    """The pages of several diagrams; None where one of them is larger than a page."""
    key = legend(diagrams, room.wide)
    pages = _laid_out(diagrams, room, key.height, a_row)
    if pages is None:
        return None
    most = darkest(diagrams)
    found: list[Sheet] = []
    first, count = pages[0][0][0], 0
    for rows in pages:
        blocks: list[Block] = []
        for row in rows:
            blocks.append(_row(row, row[0] if a_row else first, most, count))
            count += len(row)
        found.append((Block(0, 0, ()), _below(blocks), key))
    return found


Rows = list[list[_Frame]]


def _laid_out(
    diagrams: Sequence[Diagram], room: Room, below: float, a_row: int
) -> list[Rows] | None:
    """Frames in rows and rows in pages, `below` points of each page kept for the legend: on one
    page, upright or turned, in columns as high as that; otherwise on several, with as many beside
    each other as can be."""
    tried: list[list[Rows]] = []
    for page in (room, room.turned):
        frames = [_frame(d, page.high - below) for d in diagrams]
        high = page.high - below
        if all(f.height <= high and f.width <= page.wide for f in frames):
            tried.append(_paged(_rows(frames, page.wide, a_row), high))
    return min(tried, key=lambda pages: (len(pages), sum(map(len, pages))), default=None)


def _frame(d: Diagram, high: float) -> _Frame:
    """A diagram in a frame of this height where that can be."""
    piece = single(d)
    if piece.height + _heading(d, piece).height + 2 * _INNER > high:
        piece = in_columns(d, high - _heading(d, piece).height - 2 * _INNER)
    return _Frame(d, piece, _heading(d, piece), max(piece.width, _NARROWEST))


def _heading(d: Diagram, piece: Piece) -> Block:
    return heading(d.title, d.notes, max(piece.width, _NARROWEST))


def _rows(frames: Sequence[_Frame], wide: float, a_row: int) -> Rows:
    """Frames a row: as many as asked for, or as a page is wide."""
    if a_row:
        return [list(frames[i : i + a_row]) for i in range(0, len(frames), a_row)]
    rows: Rows = [[]]
    for frame in frames:
        if rows[-1] and _wide([*rows[-1], frame]) > wide:
            rows.append([])
        rows[-1].append(frame)
    return rows


def _paged(rows: Rows, high: float) -> list[Rows]:
    """Rows a page."""
    pages: list[Rows] = [[]]
    taken = 0.0
    for row in rows:
        height = _high(row) + _ROWS
        if pages[-1] and taken + height > high:
            pages.append([])
            taken = 0.0
        pages[-1].append(row)
        taken += height
    return pages


def _high(row: Sequence[_Frame]) -> float:
    """The frames of a row are of one height."""
    return max(f.head.height for f in row) + max(f.piece.height for f in row) + 2 * _INNER


def _wide(row: Sequence[_Frame]) -> float:
    return sum(f.width + _BETWEEN for f in row) - _BETWEEN


def _row(row: Sequence[_Frame], first: _Frame, most: float, count: int) -> Block:
    """Frames of one height from left to right; `count`: frames before them."""
    high, head = _high(row), max(f.head.height for f in row)
    found: list[str] = []
    x = 0.0
    for i, frame in enumerate(row):
        if i or frame is not first:
            beside = i > 0 and row[i - 1] is first
            found.append(_saved(first, frame, high, beside).at(x, 0))
            x += _BETWEEN
        found.append(_outline(frame.width, high).at(x, 0))
        found.append(frame.head.at(x + _INNER, _INNER))
        left = x + _INNER + (frame.inside - frame.piece.width) / 2
        body = drawn(frame.diagram, frame.piece, f"{count + i}/", most)
        top = _INNER + head
        if frame.diagram.upward:  # inputs on one line
            top = high - _INNER - frame.piece.height
        found.append(body.at(left, top))
        x += frame.width
    return Block(x, high, tuple(found))


def _below(rows: Sequence[Block]) -> Block:
    found: list[str] = []
    y = 0.0
    for row in rows:
        found.append(row.at(0, y))
        y += row.height + _ROWS
    return Block(max(row.width for row in rows), y - _ROWS, tuple(found))


def _outline(wide: float, high: float) -> Block:
    rect = (
        f'<rect x="0" y="0" width="{wide:.1f}" height="{high:.1f}" rx="5" fill="none" '
        'stroke="#BBBBBB"/>'
    )
    return Block(wide, high, (rect,))


def _saved(first: _Frame, other: _Frame, high: float, beside: bool) -> Block:
    """Multiply-adds and params of a frame against those of the first one; an arrow from that where
    it is `beside` this one, otherwise words that say so."""
    a, b = first.diagram, other.diagram
    middle, y = _BETWEEN / 2, high / 2
    lines = [f"{_change(a.own_macs, b.own_macs)} MACs", f"{_change(a.params, b.params)} params"]
    lines += [] if beside else ["vs. the first"]
    found = [
        text(middle, y - 17 + 10 * i, line, SMALLEST, text_anchor="middle")
        for i, line in enumerate(lines)
    ]
    if beside:
        end = _BETWEEN - 7
        found.append(
            f'<path d="M8 {y:.1f} L{end - 5:.1f} {y:.1f}" stroke="#555555" fill="none"/>'
            f'<polygon points="{end:.1f},{y:.1f} {end - 6:.1f},{y - 3:.1f} '
            f'{end - 6:.1f},{y + 3:.1f}" fill="#555555"/>'
        )
    return Block(_BETWEEN, high, tuple(found))


def _change(before: int, after: int) -> str:
    if not before:
        return "new" if after else "no"
    part = 100 * (after - before) / before
    digits = 1 if abs(part) >= 99.5 and after else 0
    return f"{part:+.{digits}f}%" if round(part) else "same"
