"""A diagram folded into columns of one page's height, and into pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ...analysis.diagram import Diagram, Part, notes, with_closed
from . import clock as limits
from .clock import Clock, OutOfTimeError
from .geometry import Piece
from .grids import grid_sizes, with_grid_sizes
from .labels import label
from .levels import cuts, with_bottom_in_arms
from .metrics import Metrics, metrics_of
from .place import Placer, spread

_GUTTER = 16.0  # points between columns


@dataclass(frozen=True)
class Room:
    """What a page has for a drawing, in points: upright, or turned with `wide` and `high`
    swapped."""

    wide: float
    high: float

    @property
    def turned(self) -> Room:
        return Room(self.high, self.wide)


Header = Callable[[Diagram, float], float]
A4 = Room(559.0, 806.0)  # less 18 points on every side


@dataclass(frozen=True)
class Folded:
    """The pages of a diagram, and the diagram that was drawn: with alike blocks as one or at a
    smaller depth where the whole did not fit. `large`: places of the parts in its chain that are
    larger than a page."""

    diagram: Diagram
    pages: tuple[Piece, ...]
    large: frozenset[int] = frozenset()


def fold(d: Diagram, room: Room, header: Header) -> Folded:
    """A diagram on one page, upright or turned, in full or with alike blocks as one; on several
    pages where none of these fits, a U-Net level by level. A part that is larger than a page is
    drawn at a smaller depth, and the whole where that cannot be or where the layout takes longer
    than `SECONDS`; a note says so. `header`: points that heading and legend of a diagram take at a
    width."""
    shown = d
    while True:
        last = shown.collapsed is None
        try:
            clock = Clock() if last else Clock.started(limits.SECONDS)
            found = _folded(shown, room, header, clock)
            if last or not found.large:
                return found
            if closed := _with_large_closed(shown, found):
                shown = closed
                continue
            why = "has a part that is larger than a page"
        except OutOfTimeError:
            why = f"takes more than {limits.SECONDS:g} s to lay out"
        assert shown.collapsed is not None, "the last one is drawn whatever its size"
        shown = shown.collapsed.reduced_from(d.depth, why)


def _with_large_closed(d: Diagram, found: Folded) -> Diagram | None:
    """The diagram with the parts that are larger than a page at a smaller depth."""
    smaller = d.collapsed
    while smaller is not None:
        if closed := with_closed(found.diagram, found.large, smaller.shorter or smaller):
            return replace(closed, collapsed=smaller.collapsed)
        smaller = smaller.collapsed
    return None


def _folded(d: Diagram, room: Room, header: Header, clock: Clock) -> Folded:
    """The pages of a diagram at its depth."""
    rooms = (room, room.turned)
    options = [_Columns(option, clock) for option in _options(d)]
    for found in options:
        for page in rooms:
            piece = found.on_one(page, header(d, page.wide))
            if piece is not None:
                return Folded(found.diagram, (piece,))
    in_levels = [_in_levels(d, page, header, clock) for page in rooms if d.root.kind == "u"]
    if fitting := [folded for folded in in_levels if folded is not None]:
        return min(fitting, key=lambda folded: len(folded.pages))
    several = options[-1]
    tried = [_several(several, page, header(d, page.wide)) for page in rooms]
    return min(tried, key=lambda folded: len(folded.large))


def _several(columns: _Columns, room: Room, header: float) -> Folded:
    """Several pages, and the parts that are larger than one of them."""
    large = columns.larger_than(room.wide, room.high - header)
    return Folded(columns.diagram, tuple(columns.on_several(room, header)), large)


def _in_levels(d: Diagram, room: Room, header: Header, clock: Clock) -> Folded | None:
    """A U on several pages, each with as many of its levels as it holds, the outer ones first; None
    where a level is larger than a page."""
    shown = replace(d, notes=(*d.notes, notes.LEVELS_ON_PAGES))
    placer = _placer(shown, clock)
    high = room.high - header(shown, room.wide)
    found: list[Piece] = []
    rest: Part | None = d.root
    while rest is not None:
        tried = ((placer.place(upper), lower) for upper, lower in cuts(rest))
        fitting = (cut for cut in tried if not _beyond(cut[0], room.wide, high))
        if (cut := next(fitting, None)) is None:
            return None
        piece, rest = cut
        found.append(piece)
    return Folded(shown, tuple(found))


def _options(d: Diagram) -> list[Diagram]:
    """The ways to draw a diagram at its depth, the fullest first; a U that is too wide has its
    bottom in two arms, and a module that does not fit with its input at the bottom has it at the
    top, in columns."""
    full = [d] if d.shorter is None else [d, d.shorter]
    found = [option for whole in full for option in _with_arms(whole)]
    return [*found, *(replace(option, upward=False) for option in found if option.upward)]


def _with_arms(d: Diagram) -> list[Diagram]:
    """A diagram, and where it is a U the same with its bottom in two arms."""
    root = with_bottom_in_arms(d.root)
    return [d] if root == d.root else [d, replace(d, root=root)]


def single(d: Diagram) -> Piece:
    """A diagram that is not folded."""
    piece = _placer(d, Clock()).place(d.root)
    return piece.turned() if d.upward else piece


def in_columns(d: Diagram, high: float) -> Piece:
    """A diagram in as many columns as it takes to be no higher than `high` where that can be; a
    module in one."""
    columns = _Columns(d, Clock())
    return columns.beside(columns.divided(high))


def _placer(d: Diagram, clock: Clock) -> Placer:
    m = metrics_of(d)
    labels = {b.id: label(b, d, m) for b in d.boxes}
    edges = [(e.source, e.target) for e in d.edges]
    return Placer(labels, edges, m, d.style == "cost", clock)


class _Columns:
    """The parts in a row of a diagram, placed, and how they divide into columns."""

    def __init__(self, d: Diagram, clock: Clock):
        self.diagram = d
        self.m: Metrics = metrics_of(d)
        self.placer = _placer(d, clock)
        chain: tuple[Part, ...] = d.root.children if d.root.kind == "chain" else (d.root,)
        self.pieces = [self.placer.place(p) for p in self.placer.evened(chain)]
        self.crossed = self._crossed()
        self.sizes = {
            id(p): s for p, s in zip(self.pieces, grid_sizes(d, self.pieces), strict=True)
        }

    def _crossed(self) -> list[int]:
        """How many edges pass the place before each piece, beside those from the one before it; a
        row of branches and what they meet in stay together where that can be."""
        item = {box: i for i, p in enumerate(self.pieces) for box in p.rects}
        found = [0] + [len(p.exits) - 1 for p in self.pieces[:-1]]
        for a, b in self.placer.edges:
            if a in item and b in item and item[b] > item[a] + 1:
                for i in range(item[a] + 1, item[b] + 1):
                    found[i] += 1
        return found

    def on_one(self, room: Room, header: float) -> Piece | None:
        """All columns on one page; None where they do not fit."""
        high = room.high - header
        columns = self.divided(high)
        whole = self.beside(columns)
        return whole if whole.width <= room.wide and whole.height <= high else None

    def on_several(self, room: Room, header: float) -> list[Piece]:
        """Columns from left to right, as many as a page is wide."""
        columns = self.divided(room.high - header)
        pages: list[list[list[Piece]]] = [[]]
        for column in columns:
            if pages[-1] and self.beside([*pages[-1], column]).width > room.wide:
                pages.append([])
            pages[-1].append(column)
        return [self.beside(page) for page in pages]

    def larger_than(self, wide: float, high: float) -> frozenset[int]:
        """The places of the parts that no page of this size holds; all of those in a column that is
        too wide for the arcs beside it."""
        found: set[int] = set()
        start = 0
        for column in self.divided(high):
            places = range(start, start + len(column))
            start += len(column)
            mine = {i for i, p in zip(places, column, strict=True) if _beyond(p, wide, high)}
            if not mine and _beyond(self.beside([column]), wide, high):
                mine = set(places)
            found |= mine
        return frozenset(found)

    # --- columns ---

    def divided(self, high: float) -> list[list[Piece]]:
        """As few columns as the height allows, the highest as low as can be."""
        if self.diagram.upward or self._height(0, len(self.pieces)) <= high:
            return [self.pieces]
        least = self._columns_within(high)
        count = len(least)
        low, top = self._height(0, len(self.pieces)) / count, high
        for _ in range(12):
            middle = (low + top) / 2
            tried = self._columns_within(middle)
            if len(tried) <= count:
                least, top = tried, middle
            else:
                low = middle
        return [self.pieces[i:j] for i, j in least]

    def _columns_within(self, high: float) -> list[tuple[int, int]]:
        """Each column as long as the height allows, ended where fewest edges pass."""
        found: list[tuple[int, int]] = []
        start, last = 0, len(self.pieces)
        while start < last:
            end = start + 1
            while end < last and self._height(start, end + 1) <= high:
                end += 1
            if end < last:
                # the later the better among those that as few edges pass
                end = min(range(start + 1, end + 1), key=lambda i: (self.crossed[i], -i))
            found.append((start, end))
            start = end
        return found

    def _height(self, i: int, j: int) -> float:
        gaps = sum(1.5 if spread(a, b) else 1.0 for a, b in pairwise(self.pieces[i:j]))
        return sum(p.height for p in self.pieces[i:j]) + gaps * self.m.gap

    def beside(self, columns: Sequence[Sequence[Piece]]) -> Piece:
        """Columns from left to right, each joined to the next by an edge in the gutter."""
        placed = [self._stacked(column) for column in columns]
        found = Piece(0.0, max(p.height for p in placed), 0.0)
        margin = 0.0 if len(placed) == 1 else self.m.gap
        ends: list[float] = []
        x = 0.0
        for piece in placed:
            found.take(piece.moved(x, margin))
            ends.append(x + piece.width)
            x += piece.width + _GUTTER
        found.width = x - _GUTTER
        found.height += 2 * margin
        for i, j, edge in self._across(placed):
            self._join(found, placed[i], placed[j], edge, ends[i] + _GUTTER / 2)
        found.entries, found.exits = placed[0].entries, placed[-1].exits
        return found.turned() if self.diagram.upward else found

    def _stacked(self, column: Sequence[Piece]) -> Piece:
        """A column with the sizes of its grids; a module has none."""
        sizes = ["" if self.diagram.upward else self.sizes[id(p)] for p in column]
        return with_grid_sizes(self.placer.stacked(column), column, sizes, self.m)

    def _across(self, columns: Sequence[Piece]) -> list[tuple[int, int, tuple[str, str]]]:
        """The edges from a column to a later one, with the numbers of both, in their order."""
        column = {box: i for i, piece in enumerate(columns) for box in piece.rects}
        across = ((column.get(a), column.get(b), (a, b)) for a, b in self.placer.edges)
        found = [(i, j, e) for i, j, e in across if i is not None and j is not None and i < j]
        return sorted(found, key=lambda edge: edge[:2])

    def _join(self, found: Piece, a: Piece, b: Piece, edge: tuple[str, str], gutter: float) -> None:
        """The way of an edge from one column to the next."""
        s, t = (found.rects[box] for box in edge)
        low = a.height + 1.6 * self.m.gap
        out = [(s.cx, s.bottom), (s.cx, low), (gutter, low)]
        if edge[0] not in a.exits:
            out = [(s.right, s.cy), (gutter, s.cy)]
        into = [(t.cx, 0.4), (t.cx, t.y)]
        if edge[1] not in b.entries:
            left = [r.x for i, r in found.rects.items() if i in b.rects]
            left += [f.rect.x for f in found.frames if f.rect.holds(t)]
            before = min(left) - 5
            into = [(before, 0.4), (before, t.cy), (t.x, t.cy)]
        found.ways[edge] = [*out, (gutter, 0.4), *into]


def _beyond(piece: Piece, wide: float, high: float) -> bool:
    return piece.width > wide or piece.height > high
