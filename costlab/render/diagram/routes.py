"""The way of each edge between two boxes."""

from __future__ import annotations

from dataclasses import dataclass

from .geometry import Piece, Point, Rect

_ROUND = 7.0  # points: radius of an arc's corners


@dataclass(frozen=True)
class Route:
    """An SVG path and its last two points, where the arrow is."""

    path: str
    before: Point
    end: Point


def route(piece: Piece, a: str, b: str) -> Route:
    """The way from box `a` to box `b`: an arc in a lane, past given points, or straight."""
    source, target = piece.rects[a], piece.rects[b]
    if (a, b) in piece.ways:
        return _line(piece.ways[a, b])
    if (a, b) in piece.lanes:
        return _arc(source, target, piece.lanes[a, b])
    if source.y < target.bottom and target.y < source.bottom:
        return _line(_sideways(source, target))
    return _line(_upright(piece, a, b))


def _line(points: list[Point]) -> Route:
    clean = [p for i, p in enumerate(points) if not i or p != points[i - 1]]
    path = " L".join(f"{x:.1f} {y:.1f}" for x, y in clean)
    return Route(f"M{path}", clean[-2], clean[-1])


def _sideways(source: Rect, target: Rect) -> list[Point]:
    y = (max(source.y, target.y) + min(source.bottom, target.bottom)) / 2
    if source.right <= target.x:
        return [(source.right, y), (target.x, y)]
    return [(source.x, y), (target.right, y)]


def _upright(piece: Piece, a: str, b: str) -> list[Point]:
    """Down or up, straight along the branches that the boxes end and begin."""
    source, target = piece.rects[a], piece.rects[b]
    down = source.bottom <= target.y
    leave, arrive = (source.bottom, target.y) if down else (source.y, target.bottom)
    straight_to = (piece.below if down else piece.above).get(a, leave)
    straight_from = (piece.above if down else piece.below).get(b, arrive)
    if down != (straight_to <= straight_from):
        straight_to, straight_from = leave, arrive
    vias = piece.vias.get((a, b), [])
    vias = vias if down == (not vias or vias[0][1] <= vias[-1][1]) else vias[::-1]
    end = _landing(source, target)
    return [
        (source.cx, leave),
        (source.cx, straight_to),
        *vias,
        (end, straight_from),
        (end, arrive),
    ]


def _landing(source: Rect, target: Rect) -> float:
    """Where an edge meets a box: below its source where the box is that wide, so that edges of
    branches do not all meet in one point."""
    room = 0.5 * target.w - 4
    return max(target.cx - room, min(target.cx + room, source.cx)) if room > 12 else target.cx


def _arc(source: Rect, target: Rect, lane: float) -> Route:
    """Out to the right, along the lane, and back."""
    y1, y2 = source.cy, target.cy
    turn = 1 if y2 > y1 else -1
    r = min(_ROUND, abs(y2 - y1) / 2, lane - source.right, lane - target.right)
    path = (
        f"M{source.right:.1f} {y1:.1f} L{lane - r:.1f} {y1:.1f} "
        f"Q{lane:.1f} {y1:.1f} {lane:.1f} {y1 + turn * r:.1f} L{lane:.1f} {y2 - turn * r:.1f} "
        f"Q{lane:.1f} {y2:.1f} {lane - r:.1f} {y2:.1f} L{target.right:.1f} {y2:.1f}"
    )
    return Route(path, (target.right + 1, y2), (target.right, y2))
