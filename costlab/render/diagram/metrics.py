"""Sizes and colours of the two styles, in points."""

from __future__ import annotations

from dataclasses import dataclass

from ...analysis.diagram import Box, Diagram

SMALLEST = 7.0  # points of the smallest text


@dataclass(frozen=True)
class Metrics:
    """Font size of a box's name, space around its text, and between boxes.

    `gap`: along the flow; `aside`: between branches; `lane`: between arcs; `detail`: font size of
    what stands below the name."""

    font: float
    pad: float
    gap: float
    aside: float
    lane: float = 5.0
    detail: float = SMALLEST


PAPER_NETWORK = Metrics(font=SMALLEST, pad=2.2, gap=5.4, aside=3.5)
PAPER_MODULE = Metrics(font=9.0, pad=4.0, gap=13.0, aside=9.0, lane=8.0)
COST = Metrics(font=8.5, pad=4.0, gap=10.0, aside=8.0, lane=7.0)


def metrics_of(d: Diagram) -> Metrics:
    """The sizes that a diagram is drawn in."""
    if d.style == "cost":
        return COST
    return PAPER_MODULE if d.upward else PAPER_NETWORK


# Okabe and Ito's colours: a light fill, and the full colour for the frame
_KINDS = {
    "conv": ("#DCECF7", "#0072B2"),
    "transposed conv": ("#DCECF7", "#0072B2"),
    "linear": ("#FBF0DC", "#C27C00"),
    "embedding": ("#FBF0DC", "#C27C00"),
    "recurrent": ("#FBF0DC", "#C27C00"),
    "product": ("#FBF0DC", "#C27C00"),
    "pool": ("#FBE5DA", "#D55E00"),
    "cat": ("#E0F3EC", "#009E73"),
    "join": ("#F7E7F0", "#B5588F"),
    "softmax": ("#FFF9D6", "#B8A200"),
    "input": ("#FFFFFF", "#6B6B6B"),
    "output": ("#FFFFFF", "#6B6B6B"),
    "block": ("#EAF1F8", "#4A6785"),
}
_OTHER = ("#F0F0F0", "#6B6B6B")


@dataclass(frozen=True)
class Mark:
    """How a marked box is told from the others, in print without colours too: the colour and the
    dashes of its outline, and a sign in strokes, each (x1, y1, x2, y2) in a circle of radius 1."""

    color: str
    dashes: str
    strokes: tuple[tuple[float, float, float, float], ...]


_MINUS, _BAR_UP = (-0.55, 0.0, 0.55, 0.0), (0.0, -0.55, 0.0, 0.55)
_UNEQUAL = ((-0.55, -0.25, 0.55, -0.25), (-0.55, 0.25, 0.55, 0.25), (-0.3, 0.6, 0.3, -0.6))
MARKS = {
    "changed": Mark("#B34700", "", _UNEQUAL),
    "added": Mark("#00664A", "", (_MINUS, _BAR_UP)),
    "removed": Mark("#A3123F", "5 2.5", (_MINUS,)),
}
BAR = "#0072B2"
# from no cost to the most expensive box
_LIGHT, _FULL = (0xFF, 0xFF, 0xFF), (0x9F, 0xCB, 0xEA)


def colors(box: Box, d: Diagram, most: float) -> tuple[str, str]:
    """Fill and frame: by what a box is, or in the cost style by its share, `most` being that of
    the most expensive one."""
    kind = "pool" if box.kind.endswith("pool") else box.kind
    fill, frame = _KINDS.get(kind, _OTHER)
    if d.style == "cost":
        fill = shade(d.share(box) / most if most else 0.0)
    return fill, frame


def shade(part: float) -> str:
    """The fill of a share, from 0 (white) to 1 (the most expensive)."""
    mixed = (round(a + (b - a) * part) for a, b in zip(_LIGHT, _FULL, strict=True))
    return "#" + "".join(f"{v:02X}" for v in mixed)
