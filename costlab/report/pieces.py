"""What several sections are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..analysis.diagram import Diagram
from ..render import charts
from ..render.diagram import Room, sheets, svg
from ..render.document import Grid, Numbers, Picture, Points, Ref, Text
from .links import Links

_ROOM = Room(468.0, 590.0)  # points of a page of a report, less the caption
_SCREEN = Room(1100.0, 760.0)  # points, of what is not on paper
Block = Text | Grid | Picture | Points | Numbers


def chart(
    draw: Callable[..., Any],
    *results: Any,
    id: str,
    caption: str,
    alt: str,
    links: Links | None = None,
) -> Picture:
    """A chart as a figure."""
    picture = charts.render(draw, *results, format="svg").decode()
    return Picture(picture[picture.index("<svg") :], caption, alt, id, links=links or {})


def drawn(
    diagram: Diagram, *, id: str, caption: str, network: bool = False, links: Links | None = None
) -> Picture:
    """A block diagram as a figure; that of a `network` pans and zooms."""
    picture, pages = _paged([diagram], diagram.alt)
    return Picture(
        picture, caption, diagram.alt, id, diagram=network, links=links or {}, pages=pages
    )


def on_screen(diagram: Diagram) -> str:
    """A block diagram in one picture for a screen."""
    return svg([diagram], _SCREEN, diagram.alt)


def drawn_together(diagrams: Sequence[Diagram], alt: str, *, id: str, caption: str) -> Picture:
    """Block diagrams beside each other as one figure."""
    picture, pages = _paged(diagrams, alt)
    return Picture(picture, caption, alt, id, pages=pages)


def _paged(diagrams: Sequence[Diagram], alt: str) -> tuple[str, tuple[str, ...]]:
    """Diagrams as one picture for a screen, and those of its pages where there are several."""
    pages = sheets(diagrams, _ROOM, alt)
    return (pages[0], ()) if len(pages) == 1 else (svg(diagrams, _SCREEN, alt), tuple(pages))


def cited(words: str, ref: str, end: str = ".") -> Text:
    """A sentence that names a table or figure before its end."""
    return Text((words, Ref(ref), end))


def percent(part: float, whole: float) -> str:
    """A share in whole percent."""
    return f"{100 * part / whole:.0f}%" if whole else "0%"


def listed(words: Iterable[str]) -> str:
    """a, b and c."""
    *most, last = list(words) or ["none"]
    return f"{', '.join(most)} and {last}" if most else last
