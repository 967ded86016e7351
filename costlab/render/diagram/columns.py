"""The parts in a row of a diagram as columns of one page's height."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from ...analysis.diagram import Diagram, Part
from .clock import Clock
from .geometry import Piece, Room
from .grids import grid_sizes, with_grid_sizes
from .labels import label
from .metrics import Metrics, metrics_of
from .place import Placer, spread

_GUTTER = 16.0  # points between columns


def placer(d: Diagram, clock: Clock) -> Placer:
    """What places the parts of a diagram."""
    m = metrics_of(d)
    labels = {b.id: label(b, d, m) for b in d.boxes}
    edges = [(e.source, e.target) for e in d.edges]
    return Placer(labels, edges, m, d.style == "cost", clock)


class Columns:
    """The parts in a row of a diagram, placed, and how they divide into columns."""

    def __init__(self, d: Diagram, clock: Clock):
        self.diagram = d
        self.m: Metrics = metrics_of(d)
        self.placer = placer(d, clock)
        self._divided: dict[float, list[list[Piece]]] = {}  # by height
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
        change = [0] * (len(self.pieces) + 1)  # of how many edges pass, from one place to the next
        for a, b in self.placer.edges_from(item):
            if b in item and item[b] > item[a] + 1:
                change[item[a] + 1] += 1
                change[item[b] + 1] -= 1
        before = [0] + [len(p.exits) - 1 for p in self.pieces[:-1]]
        return [own + past for own, past in zip(before, accumulate(change), strict=False)]

    def on_one(self, room: Room, header: float) -> Piece | None:
        """All columns on one page; None where they do not fit."""
        high = room.high - header
        columns = self.divided(high)
        least = sum(max(p.width for p in column) + _GUTTER for column in columns) - _GUTTER
        if least > room.wide:
            return None
        whole = self.beside(columns)
        return whole if whole.width <= room.wide and whole.height <= high else None

    def on_several(self, room: Room, header: float) -> list[Piece]:
        """Columns from left to right, as many as a page is wide."""
        pages: list[list[list[Piece]]] = [[]]
        taken = 0.0
        for column in self.divided(room.high - header):
            wide = self._stacked(column).width
            if pages[-1] and taken + wide > room.wide:
                pages.append([])
                taken = 0.0
            pages[-1].append(column)
            taken += wide + _GUTTER
        return [self.beside(page) for page in pages]

    def larger_than(self, wide: float, high: float) -> frozenset[int]:
        """The places of the parts that no page of this size holds; all of those in a column that is
        too wide for the arcs beside it."""
        found: set[int] = set()
        start = 0
        for column in self.divided(high):
            places = range(start, start + len(column))
            start += len(column)
            mine = {i for i, p in zip(places, column, strict=True) if beyond(p, wide, high)}
            if not mine and beyond(self.beside([column]), wide, high):
                mine = set(places)
            found |= mine
        return frozenset(found)

    # --- columns ---

    def divided(self, high: float) -> list[list[Piece]]:
        """As few columns as the height allows, the highest as low as can be."""
        if high not in self._divided:
            self._divided[high] = self._divide(high)
        return self._divided[high]

    def _divide(self, high: float) -> list[list[Piece]]:
        gaps = sum(map(self._gap, range(1, len(self.pieces))))
        all_of_it = sum(p.height for p in self.pieces) + gaps * self.m.gap
        if self.diagram.upward or all_of_it <= high:
            return [self.pieces]
        least = self._columns_within(high)
        count = len(least)
        low, top = all_of_it / count, high
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
            end = self._end_within(start, high)
            if end < last:
                # the later the better among those that as few edges pass
                end = min(range(start + 1, end + 1), key=lambda i: (self.crossed[i], -i))
            found.append((start, end))
            start = end
        return found

    def _end_within(self, start: int, high: float) -> int:
        """The place after the last piece that a column of this height holds, which holds one."""
        end, pieces, gaps = start + 1, self.pieces[start].height, 0.0
        while end < len(self.pieces):
            pieces += self.pieces[end].height
            gaps += self._gap(end)
            if pieces + gaps * self.m.gap > high:
                break
            end += 1
        return end

    def _gap(self, i: int) -> float:
        """The space before a piece, in gaps."""
        return 1.5 if spread(self.pieces[i - 1], self.pieces[i]) else 1.0

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
        across = ((column[a], column.get(b), (a, b)) for a, b in self.placer.edges_from(column))
        found = [(i, j, e) for i, j, e in across if j is not None and i < j]
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
            left = [found.rects[box].x for box in b.rects]
            left += [f.rect.x for f in found.frames if f.rect.holds(t)]
            before = min(left) - 5
            into = [(before, 0.4), (before, t.cy), (t.x, t.cy)]
        found.ways[edge] = [*out, (gutter, 0.4), *into]


def beyond(piece: Piece, wide: float, high: float) -> bool:
    """Whether a piece is larger than a room of this size, in points."""
    return piece.width > wide or piece.height > high
