"""Whole pictures: one diagram on its pages, or several in frames on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...analysis.diagram import Box, Diagram, Edge, notes
from .dot import dot
from .drawing import Block, darkest, drawn, heading, legend, page
from .frames import Sheet, framed
from .geometry import A4, Room
from .pages import Folded, fold

_LEAST = 230.0  # points of width for a heading


def sheets(
    diagrams: Sequence[Diagram], room: Room = A4, alt: str = "", a_row: int = 0
) -> list[str]:
    """SVGs, one a page: a diagram, or several in frames, `a_row` of them in a row (0: as many as
    fit)."""
    words = alt or "; ".join(d.alt for d in diagrams)
    return [_one_page([blocks], words) for blocks in _blocks(diagrams, room, a_row)]


def svg(diagrams: Sequence[Diagram], room: Room = A4, alt: str = "", a_row: int = 0) -> str:
    """One SVG; its pages are below each other."""
    words = alt or "; ".join(d.alt for d in diagrams)
    return _one_page(_blocks(diagrams, room, a_row), words)


def picture(diagrams: Sequence[Diagram], format: str, a_row: int = 0) -> bytes:
    """Diagrams as `format`: dot, svg, png or pdf.

    Raises ModuleNotFoundError without matplotlib (for its fonts), and for png and pdf without
    typst."""
    if format == "dot":
        return dot(*diagrams).encode()
    words = "; ".join(d.alt for d in diagrams)
    if format == "pdf":
        from ..typeset import pages

        return pages(sheets(diagrams, a_row=a_row), words)
    whole = _one_page(_noted(_blocks(diagrams, A4, a_row)), words)
    if format == "svg":
        return whole.encode()
    from ..typeset import raster

    return raster(whole, words)


def _noted(pages: Sequence[Sheet]) -> Sequence[Sheet]:
    """Several pages that one picture has below each other, with a note that says so."""
    if len(pages) < 2:
        return pages
    wide = max(body.width for _, body, _ in pages)
    note = heading("", (f"{len(pages)} {notes.PAGES_BELOW}",), wide)
    return [(note, Block(0, 0, ()), Block(0, 0, ())), *pages]


def _blocks(diagrams: Sequence[Diagram], room: Room, a_row: int) -> list[Sheet]:
    """Heading, drawing and legend of each page."""
    if len(diagrams) == 1:
        return _folded(diagrams[0], room)
    together = framed(diagrams, room, a_row)
    if together is not None:
        return together
    most = darkest(diagrams)
    return [sheet for i, d in enumerate(diagrams) for sheet in _folded(d, room, f"{i}/", most)]


def _folded(d: Diagram, room: Room, prefix: str = "", most: float | None = None) -> list[Sheet]:
    """The pages of one diagram; for `prefix` and `most` see `drawn`."""
    folded = fold(d, room, _around)
    shown, count = folded.diagram, len(folded.pages)
    most = darkest([shown]) if most is None else most
    found: list[Sheet] = []
    for i, (piece, part) in enumerate(zip(folded.pages, _by_page(folded), strict=True)):
        title = d.title if count == 1 else f"{d.title}, page {i + 1} of {count}"
        wide = max(piece.width, _LEAST)
        head = heading(title, shown.notes if i == 0 else (), wide)
        found.append((head, drawn(part, piece, prefix, most), legend([shown], wide)))
    return found


def _by_page(folded: Folded) -> list[Diagram]:
    """The diagram that was folded with the boxes of each page, and the edges between them."""
    d, pages = folded.diagram, folded.pages
    page = {box: i for i, piece in enumerate(pages) for box in piece.rects}
    boxes: list[list[Box]] = [[] for _ in pages]
    for box in d.boxes:
        if box.id in page:
            boxes[page[box.id]].append(box)
    edges: list[list[Edge]] = [[] for _ in pages]
    for edge in d.edges:
        place = page.get(edge.source)
        if place is not None and page.get(edge.target) == place:
            edges[place].append(edge)
    return [replace(d, boxes=tuple(b), edges=tuple(e)) for b, e in zip(boxes, edges, strict=True)]


def _around(d: Diagram, wide: float) -> float:
    """Points that heading and legend take at a width."""
    return heading(d.title, d.notes, wide).height + legend([d], wide).height


def _one_page(pages: Sequence[Sheet], alt: str) -> str:
    wide = max(block.width for blocks in pages for block in blocks)
    placed: list[tuple[float, float, Block]] = []
    y = 0.0
    for i, (head, body, key) in enumerate(pages):
        y += 24.0 if i else 0.0
        placed.append((0.0, y, head))
        y += head.height
        placed.append(((wide - body.width) / 2, y, body))
        y += body.height
        placed.append((0.0, y, key))
        y += key.height
    return page(placed, wide, y, alt)
