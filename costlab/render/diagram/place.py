"""Where each box goes: chains downwards, branches beside each other, a U-Net as a U."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from ...analysis.diagram import Part
from .clock import Clock
from .geometry import Frame, Piece, Rect
from .labels import Label
from .layered import layered
from .measure import width
from .metrics import Metrics

Edges = Sequence[tuple[str, str]]
_FRAME = 4.0  # points between a frame and what is in it
_SIGN = 16.0  # points beside the name of an opened block, for what a page closes it with
_INDENT = 16.0  # of a level of a U to the one above it
_LEVELS = 1.2  # gaps between the levels of a U: four of them fit a page


class Placer:
    """Places the parts of one diagram. `even`: boxes of a chain are of one width, so that their
    bars begin at one edge. Placing raises OutOfTimeError after the end of `clock`."""

    def __init__(
        self, labels: Mapping[str, Label], edges: Edges, m: Metrics, even: bool, clock: Clock
    ):
        self.labels, self.m, self.even, self.clock = labels, m, even, clock
        self._edges = edges
        self._leaving: dict[str, list[int]] = {}  # places in `edges`
        for i, (source, _) in enumerate(edges):
            self._leaving.setdefault(source, []).append(i)

    def edges_from(self, boxes: Iterable[str]) -> list[tuple[str, str]]:
        """The edges that leave some boxes, in the order of the diagram."""
        places = sorted(i for box in boxes for i in self._leaving.get(box, ()))
        return [self._edges[i] for i in places]

    def place(self, part: Part) -> Piece:
        """A part and all that is in it."""
        self.clock.check()
        by_kind = {
            "box": self._box,
            "chain": self._chain,
            "row": self._row,
            "frame": self._frame,
            "u": self._u,
            "layers": self._layers,
        }
        return by_kind[part.kind](part)

    # --- one box ---

    def _box(self, part: Part) -> Piece:
        size = self.labels[part.box]
        return self._alone(part.box, size.width, size.height)

    def _alone(self, box: str, w: float, h: float) -> Piece:
        rects = {box: Rect(0, 0, w, h)}
        return Piece(w, h, w / 2, rects, entries=(box,), exits=(box,))

    # --- chains ---

    def _chain(self, part: Part) -> Piece:
        return self.stacked([self.place(c) for c in self.evened(part.children)])

    def evened(self, parts: Sequence[Part]) -> Sequence[Part]:
        """The parts, after their boxes were made equally wide where that is asked for."""
        boxes = [b for p in parts for b in _in_line(p)]
        if self.even and boxes:
            widest = max(self.labels[b].width for b in boxes)
            grown = {b: _widened(self.labels[b], widest) for b in boxes}
            self.labels = {**self.labels, **grown}
        return parts

    def stacked(self, pieces: Sequence[Piece]) -> Piece:
        """Pieces below each other on one axis, with arcs past those between."""
        axis = max(p.axis for p in pieces)
        wide = axis + max(p.width - p.axis for p in pieces)
        found = Piece(wide, 0.0, axis, entries=pieces[0].entries, exits=pieces[-1].exits)
        y = 0.0
        for i, piece in enumerate(pieces):
            y += self._between(pieces[i - 1], piece) if i else 0.0
            found.take(piece.moved(axis - piece.axis, y))
            y += piece.height
        found.height = y
        self._arcs(found, pieces)
        for a, b in pairwise(pieces):
            self._around(found, a, b)
        return found

    def _around(self, found: Piece, a: Piece, b: Piece) -> None:
        """The way of an edge from the top of a U to the piece below it: round the U's right."""
        inside = [found.rects[box] for box in a.rects]
        end = max(r.bottom for r in inside)
        for source, target in self.edges_from(a.exits):
            if target not in b.entries:
                continue
            s, t = found.rects[source], found.rects[target]
            if not any(r.y > s.bottom and r.x < s.right and s.x < r.right for r in inside):
                continue
            lane = max(r.right for r in inside) + self.m.lane
            turn = end + self.m.gap / 2
            found.ways[source, target] = [
                (s.right, s.cy),
                (lane, s.cy),
                (lane, turn),
                (t.cx, turn),
                (t.cx, t.y),
            ]
            found.width = max(found.width, lane + 2)

    def _between(self, a: Piece, b: Piece) -> float:
        """The space between two pieces, more where edges spread."""
        return self.m.gap * (1.5 if spread(a, b) else 1.0)

    def _arcs(self, found: Piece, pieces: Sequence[Piece]) -> None:
        """Lanes on the right for edges that pass a piece, the short ones inside."""
        item = {box: i for i, p in enumerate(pieces) for box in p.rects}
        passing = [
            (a, b)
            for a, b in self.edges_from(item)
            if b in item and item[a] != item[b] and not _direct(item, pieces, a, b)
        ]
        passing.sort(key=lambda e: (item[e[1]] - item[e[0]], item[e[0]]))
        for a, b in passing:
            self.clock.check()
            top, bottom = found.rects[a].cy, found.rects[b].cy
            near = [r.right for r in found.rects.values() if r.bottom > top and r.y < bottom]
            around = [f.rect for f in found.frames]
            near += [f.right for f in around if f.bottom > top and f.y < bottom]
            near += [
                x
                for (c, d), x in found.lanes.items()
                if found.rects[d].cy > top + 1 and found.rects[c].cy < bottom - 1
            ]
            lane = max(near) + self.m.lane
            found.lanes[a, b] = lane
            found.width = max(found.width, lane + 2)

    # --- branches ---

    def _row(self, part: Part) -> Piece:
        """Branches side by side, from a fork to where they meet."""
        pieces = [self.place(c) for c in part.children]
        levels = [len(list(c.boxes())) for c in part.children]
        down = self._second_level(pieces) if max(levels) > 1 else 0.0
        found = Piece(0.0, 0.0, 0.0)
        x = 0.0
        for piece, boxes in zip(pieces, levels, strict=True):
            # a layer beside longer branches stands beside their second layers, as in the papers
            y = down if boxes == 1 else 0.0
            found.take(piece.moved(x, y))
            found.height = max(found.height, y + piece.height)
            x += piece.width + self.m.aside
        found.width = x - self.m.aside
        found.axis = found.width / 2
        if len(pieces) == 2 and levels[1] == 1 < levels[0]:
            found.axis = pieces[0].axis  # a residual block and its projection
        found.entries = tuple(b for p in pieces for b in p.entries)
        found.exits = tuple(b for p in pieces for b in p.exits)
        found.above |= dict.fromkeys(found.entries, 0.0)
        found.below |= dict.fromkeys(found.exits, found.height)
        return found

    def _second_level(self, pieces: Sequence[Piece]) -> float:
        firsts = [p.rects[p.entries[0]].h for p in pieces if len(p.rects) > 1]
        return max(firsts) + self.m.gap

    # --- repeats ---

    def _frame(self, part: Part) -> Piece:
        inner = self.place(part.children[0])
        if part.box:
            return self._opened(part, inner)
        words = [w.strip() for w in part.label.split(",")]
        room = max(width(w, self.m.font, True) for w in words) + 4
        piece = inner.moved(room + _FRAME, _FRAME)
        around = Rect(room, 0, inner.width + 2 * _FRAME, inner.height + 2 * _FRAME)
        piece.frames.insert(0, Frame(around, part.label))
        piece.width, piece.height = around.w + room, around.h
        piece.axis = inner.axis + room + _FRAME
        return piece

    def _opened(self, part: Part, inner: Piece) -> Piece:
        """What is in an opened block, below its name."""
        head = 1.5 * self.m.font
        piece = inner.moved(_FRAME, _FRAME + head)
        wide = max(inner.width, width(part.label, self.m.font, True) + _SIGN) + 2 * _FRAME
        around = Rect(0, 0, wide, inner.height + 2 * _FRAME + head)
        piece.frames.insert(0, Frame(around, part.label, part.box))
        piece.width, piece.height = around.w, around.h
        piece.axis = inner.axis + _FRAME
        return piece

    # --- U-Nets ---

    def _u(self, part: Part) -> Piece:
        """A way down on the left and a way up on the right, of equal height; what lies between
        them, such as a bottleneck, is below both."""
        left, *inner, right = part.children
        down, up = self.place(left), self.place(right).turned()
        high = max(down.height, up.height)
        wide = down.width + up.width + 4 * self.m.aside
        below = self._below(inner[0]) if inner else None
        wide = max(wide, below.width + 2 * _INDENT) if below else wide
        found = Piece(wide, high, wide / 2, entries=down.entries, exits=up.exits)
        found.take(down.moved(0, high - down.height))
        found.take(up.moved(wide - up.width, high - up.height))
        if below:
            top = high + _LEVELS * self.m.gap
            found.take(below.moved((wide - below.width) / 2, top))
            found.height = top + below.height
        return found

    def _below(self, part: Part) -> Piece:
        """The inner levels of a U, or its bottom."""
        return self.place(part) if part.kind == "u" else self._sideways(part)

    def _sideways(self, part: Part) -> Piece:
        """The bottom of a U, from left to right."""
        children = part.children if part.kind == "chain" else (part,)
        pieces = [self.place(c) for c in children]
        high = max(p.height for p in pieces)
        found = Piece(0.0, high, 0.0, entries=pieces[0].entries, exits=pieces[-1].exits)
        x = 0.0
        for p in pieces:
            found.take(p.moved(x, (high - p.height) / 2))
            x += p.width + self.m.gap
        found.width = x - self.m.gap
        found.axis = found.width / 2
        return found

    # --- without structure ---

    def _layers(self, part: Part) -> Piece:
        ids = dict.fromkeys(c.box for c in part.children)
        inside = [(a, b) for a, b in self.edges_from(ids) if b in ids]
        sizes = {i: (self.labels[i].width, self.labels[i].height) for i in ids}
        return layered(sizes, inside, self.m, self.clock)


def spread(a: Piece, b: Piece) -> bool:
    """Whether edges between two pieces spread so far that they need more space."""
    return max(len(a.exits), len(b.entries)) > 2


def _in_line(part: Part) -> list[str]:
    """Boxes that are below each other: those of a chain, also within frames."""
    if part.kind == "box":
        return [part.box]
    if part.kind in ("chain", "frame"):
        return [b for c in part.children for b in _in_line(c)]
    return []


def _widened(label: Label, wide: float) -> Label:
    return Label(label.lines, label.bar, wide, label.height)


def _direct(item: Mapping[str, int], pieces: Sequence[Piece], a: str, b: str) -> bool:
    """Whether an edge leaves one piece at its end and enters the next at its beginning."""
    i, j = item[a], item[b]
    return j == i + 1 and a in pieces[i].exits and b in pieces[j].entries
