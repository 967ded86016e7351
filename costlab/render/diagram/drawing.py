"""A diagram as SVG: frames, edges, boxes, heading and legend."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from ..._text import shown
from ...analysis.diagram import Box, Diagram
from .geometry import Frame, Piece, Rect
from .labels import BAR_LENGTH, Label, label, spelled
from .measure import FAMILY, width, wrapped
from .metrics import BAR, MARKS, SMALLEST, Mark, Metrics, colors, metrics_of, shade
from .routes import route

_TITLE, _NOTE = 10.0, 7.5
_LINE = 1.3  # of the font size
_LEADING = 1.25  # height of a line of text, in its size
_ARROW = 3.2
_IN_FRAME = 5.0  # points between a frame and the name in it
_BADGE = 4.2  # points: radius of the sign of a marked box
_EDGE = "#555555"
_QUIET = "#444444"  # text beside boxes


@dataclass(frozen=True)
class Block:
    """SVG elements with the room that they take, in points."""

    width: float
    height: float
    elements: tuple[str, ...]

    def at(self, x: float, y: float) -> str:
        """The elements, moved."""
        return f'<g transform="translate({x:.1f} {y:.1f})">\n' + "\n".join(self.elements) + "\n</g>"


def text(x: float, y: float, words: str, size: float, *, bold: bool = False, **more: str) -> str:
    """One line of text; `more` are attributes."""
    weight = ' font-weight="bold"' if bold else ""
    rest = "".join(f' {k.replace("_", "-")}="{v}"' for k, v in more.items())
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}"{weight}{rest}>{_esc(words)}</text>'


def _esc(words: str) -> str:
    return html.escape(shown(words), quote=True)


# --- heading and legend ---


def heading(title: str, notes: Sequence[str], room: float) -> Block:
    """A title in bold and notes below it, wrapped to `room` points."""
    lines = [(line, _TITLE, True) for line in wrapped(title, room, _TITLE, bold=True)]
    lines += [(line, _NOTE, False) for note in notes for line in wrapped(note, room, _NOTE)]
    found: list[str] = []
    y = wide = 0.0
    for words, size, bold in lines:
        y += _LINE * size
        found.append(text(0, y - 0.3 * size, words, size, bold=bold))
        wide = max(wide, width(words, size, bold))
    return Block(wide, y + 4 if found else 0.0, tuple(found))


def darkest(diagrams: Sequence[Diagram]) -> float:
    """The share of the most expensive box."""
    return max((d.largest_share for d in diagrams), default=0.0)


def legend(diagrams: Sequence[Diagram], room: float) -> Block:
    """What fill, bar and outline mean."""
    parts = [part for part in (_scale(diagrams, room), _outlines(diagrams)) if part.elements]
    found: list[str] = []
    y = 4.0
    for part in parts:
        found.append(part.at(0, y))
        y += part.height
    wide = max((part.width for part in parts), default=0.0)
    return Block(wide, y if found else 0.0, tuple(found))


def _scale(diagrams: Sequence[Diagram], room: float) -> Block:
    """Fill and bar."""
    d, most = diagrams[0], darkest(diagrams)
    if d.style != "cost" or not d.macs:
        return Block(0, 0, ())
    words = (
        f"fill: 0 to {100 * most:.1f}%; bar: share of the {d.convention.spell_ops(d.macs)} MACs "
        f"of {d.scope}"
    )
    lines = wrapped(words, max(room - 50, 90), SMALLEST)
    found = [
        f'<rect x="{9 * i}" y="0" width="9" height="7" fill="{shade(i / 4)}" '
        'stroke="#888888" stroke-width="0.4"/>'
        for i in range(5)
    ]
    step = _LINE * SMALLEST
    found += [text(50, 6 + i * step, line, SMALLEST) for i, line in enumerate(lines)]
    wide = 50 + max(width(line, SMALLEST) for line in lines)
    return Block(wide, 3 + len(lines) * step, tuple(found))


def _outlines(diagrams: Sequence[Diagram]) -> Block:
    """What marked boxes are."""
    marks = list(dict.fromkeys(mark for d in diagrams for mark in d.marks))
    if not marks:
        return Block(0, 0, ())
    found: list[str] = []
    x = 0.0
    for name in marks:
        mark = MARKS[name]
        found += [
            f'<rect x="{x + 4:.1f}" y="0.5" width="16" height="8" rx="2" fill="none" '
            f"{_outline(mark)}/>",
            _badge(x + 4, 4.5, mark),
            text(x + 24, 7, name, SMALLEST),
        ]
        x += 34 + width(name, SMALLEST)
    return Block(x, 13, tuple(found))


def _outline(mark: Mark) -> str:
    """The attributes of a marked box's outline."""
    dashes = f' stroke-dasharray="{mark.dashes}"' if mark.dashes else ""
    return f'stroke="{mark.color}" stroke-width="2"{dashes}'


def _badge(x: float, y: float, mark: Mark) -> str:
    """The sign of a mark in a filled circle."""
    strokes = " ".join(
        f"M{x + _BADGE * a:.1f} {y + _BADGE * b:.1f} L{x + _BADGE * c:.1f} {y + _BADGE * d:.1f}"
        for a, b, c, d in mark.strokes
    )
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{_BADGE}" fill="{mark.color}"/>'
        f'<path d="{strokes}" stroke="#FFFFFF" stroke-width="1.1" fill="none"/>'
    )


# --- boxes and edges ---


def drawn(d: Diagram, piece: Piece, prefix: str = "", most: float | None = None) -> Block:
    """The boxes and edges of a placed diagram; `prefix` keeps ids of several diagrams apart, `most`
    is the share with the darkest fill (None: of its most expensive box)."""
    m = metrics_of(d)
    found = [
        _open_block(frame, m, prefix) if frame.box else _frame(frame.rect, frame.label, m)
        for frame in piece.frames
    ]
    found += [
        _edge(piece, e.source, e.target, e.size)
        for e in d.edges
        if e.source in piece.rects and e.target in piece.rects
    ]
    most = darkest([d]) if most is None else most
    found += [
        _box(b, d, piece.rects[b.id], label(b, d, m), most, prefix)
        for b in d.boxes
        if b.id in piece.rects
    ]
    found += [
        text(s.x, s.y + 0.35 * m.font, s.text, m.font, text_anchor="end", fill=_QUIET)
        for s in piece.grid_sizes
    ]
    return Block(piece.width, piece.height, tuple(found))


def _frame(r: Rect, words: str, m: Metrics) -> str:
    lines = [w.strip() for w in words.split(",")]
    y = r.cy - 0.5 * _LINE * m.font * (len(lines) - 1) + 0.35 * m.font
    found = [
        f'<rect x="{r.x:.1f}" y="{r.y:.1f}" width="{r.w:.1f}" height="{r.h:.1f}" rx="4" '
        'fill="#F6F6F6" stroke="#999999" stroke-width="0.7" stroke-dasharray="3 2"/>'
    ]
    found += [
        text(r.x - 3, y + i * _LINE * m.font, line, m.font, bold=True, text_anchor="end")
        for i, line in enumerate(lines)
    ]
    return "\n".join(found)


def _open_block(frame: Frame, m: Metrics, prefix: str) -> str:
    """The frame of an opened block; its id is that of the block's box after "open/"."""
    r = frame.rect
    return "\n".join(
        [
            f'<g id="{_esc(f"{prefix}open/{frame.box}")}" class="node">'
            f"<title>{_esc(frame.label)}</title>",
            f'<path d="{_rounded(r, 4.0)}" fill="#F6F6F6" stroke="#666666" stroke-width="0.8"/>',
            text(r.x + _IN_FRAME, r.y + 1.2 * m.font, frame.label, m.font, bold=True),
            "</g>",
        ]
    )


def _edge(piece: Piece, a: str, b: str, size: str) -> str:
    way = route(piece, a, b)
    (x0, y0), (x, y) = way.before, way.end
    long = max(0.01, ((x - x0) ** 2 + (y - y0) ** 2) ** 0.5)
    ux, uy = (x - x0) / long, (y - y0) / long
    bx, by = x - _ARROW * ux, y - _ARROW * uy
    half = 0.45 * _ARROW
    tip = (
        f"{x:.1f},{y:.1f} {bx - half * uy:.1f},{by + half * ux:.1f} "
        f"{bx + half * uy:.1f},{by - half * ux:.1f}"
    )
    return (
        f'<g class="edge"><title>{_esc(size)}</title>'
        f'<path d="{way.path}" fill="none" stroke="{_EDGE}" stroke-width="0.8"/>'
        f'<polygon points="{tip}" fill="{_EDGE}"/></g>'
    )


def _box(box: Box, d: Diagram, r: Rect, shown: Label, most: float, prefix: str) -> str:
    """A box in its place `r`: its shape with what marks it as changed, the lines of its label, and
    the bar of its cost. `most`: the highest cost of a box, for the colors."""
    m = metrics_of(d)
    fill, frame = colors(box, d, most)
    mark = MARKS.get(box.mark)
    outline = _outline(mark) if mark else f'stroke="{frame}" stroke-width="0.8"'
    shape = _rounded(r, min(3.0, r.h / 3))
    found = [
        f'<g id="{_esc(prefix + box.id)}" class="node"><title>{_esc(tooltip(box, d))}</title>',
        f'<path d="{shape}" fill="{fill}" {outline}/>',
    ]
    if mark:
        found.append(_badge(r.x - 1.5, r.y + min(8.0, r.h / 2), mark))
    top = r.y + (r.h - shown.height + m.pad) / 2
    found += _label_lines(shown, r, top, m.pad if d.style == "cost" else None)
    if shown.bar is not None:
        below = top + sum(_LEADING * line.size for line in shown.lines)
        found += _cost_bar(shown.bar, r.x + m.pad, below, m.detail)
    return "\n".join([*found, "</g>"])


def _label_lines(shown: Label, r: Rect, top: float, indent: float | None) -> list[str]:
    """The lines of a label below `top`: from the left with an `indent`, centred without."""
    found: list[str] = []
    y = top
    for line in shown.lines:
        y += _LEADING * line.size
        x = r.cx if indent is None else r.x + indent
        anchor = {"text_anchor": "middle"} if indent is None else {}
        found.append(text(x, y - 0.3 * line.size, line.text, line.size, bold=line.bold, **anchor))
    return found


def _cost_bar(share: float, x: float, y: float, size: float) -> list[str]:
    """A bar as long as its share of the cost, and the share in percent beside it."""
    long = max(0.5, BAR_LENGTH * share)
    return [
        f'<rect x="{x:.1f}" y="{y + 1.5:.1f}" width="{long:.1f}" height="5" fill="{BAR}"/>',
        text(x + long + 2, y + 6.7, f"{100 * share:.1f}%", size),
    ]


def _rounded(r: Rect, q: float) -> str:
    """A rectangle with round corners, as a path."""
    return (
        f"M{r.x + q:.1f},{r.y:.1f} L{r.right - q:.1f},{r.y:.1f} "
        f"Q{r.right:.1f},{r.y:.1f} {r.right:.1f},{r.y + q:.1f} L{r.right:.1f},{r.bottom - q:.1f} "
        f"Q{r.right:.1f},{r.bottom:.1f} {r.right - q:.1f},{r.bottom:.1f} "
        f"L{r.x + q:.1f},{r.bottom:.1f} Q{r.x:.1f},{r.bottom:.1f} {r.x:.1f},{r.bottom - q:.1f} "
        f"L{r.x:.1f},{r.y + q:.1f} Q{r.x:.1f},{r.y:.1f} {r.x + q:.1f},{r.y:.1f} Z"
    )


def tooltip(box: Box, d: Diagram) -> str:
    """Everything that is known about a box."""
    said = [box.name, box.inside, box.size]
    if box.params or box.macs:
        said.append(spelled(box, d))
    if box.macs:
        said.append(f"{100 * d.share(box):.1f}%")
    return "; ".join(filter(None, [*said, box.mark]))


def page(blocks: Sequence[tuple[float, float, Block]], wide: float, high: float, alt: str) -> str:
    """An SVG of blocks at their places, with a margin."""
    margin = 6.0
    wide, high = wide + 2 * margin, high + 2 * margin
    body = "\n".join(b.at(x + margin, y + margin) for x, y, b in blocks if b.elements)
    words = _esc(alt)
    return (
        f'<svg role="img" aria-label="{words}" width="{wide:.0f}pt" height="{high:.0f}pt" '
        f'viewBox="0 0 {wide:.1f} {high:.1f}" xmlns="http://www.w3.org/2000/svg" '
        f'font-family="{FAMILY}">\n<desc>{words}</desc>\n{body}\n</svg>\n'
    )
