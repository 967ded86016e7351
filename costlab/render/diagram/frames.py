"""Several diagrams on one scale: a frame each, in rows, with what is saved between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...analysis.diagram import Diagram
from .drawing import Block, darkest, drawn, heading, legend, text
from .geometry import Piece
from .metrics import SMALLEST
from .pages import Room, single

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


def framed(diagrams: Sequence[Diagram], room: Room, a_row: int) -> list[Sheet]:
    """The pages of several diagrams."""
    frames = [_frame(d) for d in diagrams]
    key = legend(diagrams, room.wide)
    most = darkest(diagrams)
    count = 0
    pages: list[list[Block]] = [[]]
    for row in _rows(frames, room, a_row):
        block = _row(row, frames[0] if not a_row else row[0], most, count)
        count += len(row)
        taken = sum(b.height + _ROWS for b in pages[-1])
        if pages[-1] and taken + block.height + key.height > room.high:
            pages.append([])
        pages[-1].append(block)
    return [(Block(0, 0, ()), _below(page), key) for page in pages]


def _frame(d: Diagram) -> _Frame:
    piece = single(d)
    inside = max(piece.width, _NARROWEST)
    return _Frame(d, piece, heading(d.title, d.notes, inside), inside)


def _rows(frames: Sequence[_Frame], room: Room, a_row: int) -> list[list[_Frame]]:
    """Frames a row: as many as asked for, or as a page is wide, upright or turned."""
    if a_row:
        return [list(frames[i : i + a_row]) for i in range(0, len(frames), a_row)]
    wide = max(room.wide, room.high if _wide(frames) <= room.high else room.wide)
    rows: list[list[_Frame]] = [[]]
    for frame in frames:
        if rows[-1] and _wide([*rows[-1], frame]) > wide:
            rows.append([])
        rows[-1].append(frame)
    return rows


def _wide(row: Sequence[_Frame]) -> float:
    return sum(f.width + _BETWEEN for f in row) - _BETWEEN


def _row(row: Sequence[_Frame], first: _Frame, most: float, count: int) -> Block:
    """Frames of one height from left to right; `count`: frames before them."""
    top = max(f.head.height for f in row)
    high = top + max(f.piece.height for f in row) + 2 * _INNER
    found: list[str] = []
    x = 0.0
    for i, frame in enumerate(row):
        if i or frame is not first:
            found.append(_saved(first, frame, high, arrow=i > 0).at(x, 0))
            x += _BETWEEN
        found.append(_outline(frame.width, high).at(x, 0))
        found.append(frame.head.at(x + _INNER, _INNER))
        left = x + _INNER + (frame.inside - frame.piece.width) / 2
        body = drawn(frame.diagram, frame.piece, f"{count + i}/", most)
        found.append(body.at(left, high - _INNER - frame.piece.height))
        x += frame.width
    return Block(x, high, tuple(found))


def _below(rows: Sequence[Block]) -> Block:
    found, y = [], 0.0
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


def _saved(first: _Frame, other: _Frame, high: float, arrow: bool) -> Block:
    """Multiply-adds and params of a frame beside those of the first one."""
    a, b = first.diagram, other.diagram
    middle, y = _BETWEEN / 2, high / 2
    lines = [f"{_change(a.own_macs, b.own_macs)} MACs", f"{_change(a.params, b.params)} params"]
    found = [
        text(middle, y - 17 + 10 * i, line, SMALLEST, text_anchor="middle")
        for i, line in enumerate(lines)
    ]
    if arrow:
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
