"""A diagram folded into columns of one page's height, and into pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ...analysis.diagram import Diagram, Part, notes, with_closed
from . import clock as limits
from .clock import Clock, OutOfTimeError
from .columns import Columns, beyond, placer
from .geometry import Piece, Room
from .levels import cuts, with_bottom_in_arms

Header = Callable[[Diagram, float], float]


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
    options = [Columns(option, clock) for option in _options(d)]
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


def _several(columns: Columns, room: Room, header: float) -> Folded:
    """Several pages, and the parts that are larger than one of them."""
    large = columns.larger_than(room.wide, room.high - header)
    return Folded(columns.diagram, tuple(columns.on_several(room, header)), large)


def _in_levels(d: Diagram, room: Room, header: Header, clock: Clock) -> Folded | None:
    """A U on several pages, each with as many of its levels as it holds, the outer ones first; None
    where a level is larger than a page."""
    shown = replace(d, notes=(*d.notes, notes.LEVELS_ON_PAGES))
    placing = placer(shown, clock)
    high = room.high - header(shown, room.wide)
    found: list[Piece] = []
    rest: Part | None = d.root
    while rest is not None:
        tried = ((placing.place(upper), lower) for upper, lower in cuts(rest))
        fitting = (cut for cut in tried if not beyond(cut[0], room.wide, high))
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
    piece = placer(d, Clock()).place(d.root)
    return piece.turned() if d.upward else piece


def in_columns(d: Diagram, high: float) -> Piece:
    """A diagram in as many columns as it takes to be no higher than `high` where that can be; a
    module in one."""
    columns = Columns(d, Clock())
    return columns.beside(columns.divided(high))
