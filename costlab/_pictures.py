"""Charts and diagrams as objects: drawn when they are shown or saved."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .analysis.diagram import Diagram
    from .tables import Sheet
    from .trace import Trace

CHART_FORMATS = ("svg", "pdf", "png")
DIAGRAM_FORMATS = (*CHART_FORMATS, "dot")


@dataclass(frozen=True)
class Picture:
    """A picture called `title`, in one of `formats`; `draw(format)` gives its bytes. `numbers` is
    the table of what a chart shows; None for a diagram."""

    title: str
    formats: tuple[str, ...]
    draw: Callable[[str], bytes] = field(repr=False)
    numbers: Sheet | None = field(default=None, repr=False)

    def format_of(self, path: str | os.PathLike[str]) -> str:
        """The format that a file's suffix names. Raises ValueError for another suffix."""
        suffix = os.path.splitext(path)[1].removeprefix(".").lower()
        if suffix not in self.formats:
            *first, last = (f".{name}" for name in self.formats)
            raise ValueError(
                f"cannot tell the format of {os.fspath(path)!r}; "
                f"name it {', '.join(first)} or {last}"
            )
        return suffix

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture; the suffix chooses the format.

        Raises ValueError for another suffix, ModuleNotFoundError where an extra is missing, OSError
        where it cannot be written."""
        from .trace.files import write_file

        write_file(path, self.draw(self.format_of(path)))

    def _repr_svg_(self) -> str:
        return self.draw("svg").decode()


def chart(kind: str, *results: Any, numbers: Sheet) -> Picture:
    """A chart by the name of its function in `costlab.render.charts`, with its numbers."""

    def draw(format: str) -> bytes:
        from .render import charts

        return charts.render(getattr(charts, kind), *results, format=format)

    return Picture(f"{numbers.title} ({kind})", CHART_FORMATS, draw, numbers)


def diagram(drawing: Diagram) -> Picture:
    """The picture of one diagram."""
    from .render.diagram import dot

    return _from_dot(drawing.title, dot(drawing), drawing.alt)


def modules(drawings: Sequence[tuple[str, Trace]]) -> Picture:
    """Whole traces side by side, each in a frame with its title, input at the bottom."""
    from .analysis.diagram import diagram as layout
    from .render.diagram import side_by_side

    plain = [(title, layout(trace, module="")) for title, trace in drawings]
    drawn = [replace(d, title=title) if title else d for title, d in plain]
    text = side_by_side(drawn)
    return _from_dot("; ".join(d.title for d in drawn), text, "; ".join(d.alt for d in drawn))


def before_and_after(before: Diagram, after: Diagram) -> Picture:
    """Two diagrams side by side."""
    from .render.diagram import pair

    alt = f"before: {before.alt}; after: {after.alt}"
    return _from_dot(f"{before.title}, before and after", pair(before, after), alt)


def _from_dot(title: str, text: str, alt: str) -> Picture:
    return Picture(title, DIAGRAM_FORMATS, partial(_lay_out, text, alt))


def _lay_out(text: str, alt: str, format: str) -> bytes:
    from .render.diagram import picture

    return picture(text, alt, format)
