"""Charts and diagrams as objects: drawn when they are shown or saved."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ._extras import extra

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


@dataclass(frozen=True)
class Chart(Picture):
    """A chart of some `results`, by the name of its function in `costlab.render.charts`."""

    kind: str = ""
    results: tuple[Any, ...] = field(default=(), repr=False)

    def with_look(
        self,
        *,
        width: str | float | None = None,
        theme: str | None = None,
        title: str | None = None,
    ) -> Chart:
        """The same chart for another page.

        Args:
            width: "3.3in" or "6.7in" (one and two columns of a paper; the default is 6.7in), any
                other in in, cm or pt, or a number of inches. No text is smaller than 7 pt.
            theme: "light" (the default), "dark" or "grey".
            title: instead of its own; "" for none.

        Raises ValueError for a width that cannot be read or is out of bounds, and for another
        theme."""
        from .render.charts import look

        chosen = look(width, theme, title)
        return replace(self, draw=partial(_draw_chart, self.kind, self.results, chosen))


def chart(kind: str, *results: Any, numbers: Sheet) -> Chart:
    """A chart by the name of its function in `costlab.render.charts`, with its numbers."""
    draw = partial(_draw_chart, kind, results, None)
    return Chart(f"{numbers.title} ({kind})", CHART_FORMATS, draw, numbers, kind, results)


def _draw_chart(kind: str, results: tuple[Any, ...], look: Any, format: str) -> bytes:
    from .render import charts

    draw = getattr(charts, kind)
    with extra("charts", "a chart"):
        return charts.render(draw, *results, look=look or charts.look(), format=format)


def diagram(*drawings: Diagram, a_row: int = 0) -> Picture:
    """The picture of one diagram, or of several on one scale, `a_row` of them in a row (0: as many
    as fit)."""
    title = "; ".join(d.title for d in drawings)
    return Picture(title, DIAGRAM_FORMATS, partial(_draw, drawings, a_row))


def modules(drawings: Sequence[tuple[str, Trace]], a_row: int = 0) -> Picture:
    """Whole traces side by side, each in a frame with its title, input at the bottom."""
    from .analysis.diagram import modules as lay_out

    return diagram(*lay_out(drawings), a_row=a_row)


def _draw(drawings: Sequence[Diagram], a_row: int, format: str) -> bytes:
    from .render.diagram import picture

    with extra("diagrams", "a diagram"):
        return picture(drawings, format, a_row)
