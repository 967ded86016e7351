"""What every result of costlab can do: print itself, show itself in a notebook, become a frame or a
file, and draw itself.

Results are made by `tables` and `analysis`, which know no renderer. This module is the one place
where a result asks for them, when it is printed or saved, so that an analysis imports nothing
heavy.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import pandas

    from ._pictures import Chart, Picture
    from .analysis.change import Change
    from .tables import Shape, Sheet
    from .trace import Trace


class Result:
    """Numbers with a `sheet`: one table of exact values, and notes; `more_formats`: what it can be
    saved as beside `costlab.render.FORMATS`."""

    more_formats: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # a dataclass keeps a __repr__ that is in the class itself, and replaces an inherited one
        cls.__repr__ = Result.__repr__

    @property
    def sheet(self) -> Sheet:
        """The table of the result: what all outputs are made from."""
        raise NotImplementedError

    def __str__(self) -> str:
        from .render import plain

        return plain(self.sheet).rstrip("\n")

    def __repr__(self) -> str:
        sheet = self.sheet
        rows = f"{len(sheet.rows)} row{'' if len(sheet.rows) == 1 else 's'}"
        return f"<{type(self).__name__} {sheet.title!r}, {rows}>"

    def _repr_html_(self) -> str:
        from .render import html_fragment

        return html_fragment(self.sheet)

    def to_frame(self) -> pandas.DataFrame:
        """A pandas DataFrame of exact values; missing cells are NA. Needs pandas."""
        return self.sheet.to_frame()

    def select(self, *names: str) -> Shaped:
        """The table with these columns, in this order: `.select("type", "output size", "ops")`.
        Capitals, blanks and hyphens make no difference. "+name" adds a column to those shown.

        Raises ValueError for a name that no column has."""
        from .tables import Shape

        return Shaped(self, Shape(columns=names))

    def rename(self, labels: Mapping[str, str] | None = None, /, **more: str) -> Shaped:
        """The table with other names at the head of its columns: `.rename(ops="MACs")`, or
        `.rename({"output size": "grid"})`.

        Raises ValueError for a column that is not there, and a name that another column has."""
        from .tables import Shape

        return Shaped(self, Shape(labels={**(labels or {}), **more}))

    def units(self, units: str | Mapping[str, str] = "", /, **more: str) -> Shaped:
        """The table with numbers in these units: `.units(params="M", ops="G")`, or `.units("M")`
        for all columns that can be shown in it. Exact values are divided, and the head of the
        column names the unit.

        Raises ValueError for a unit that a column cannot be shown in; it lists those that it
        can."""
        from .tables import ALL, Shape

        named = {ALL: units} if isinstance(units, str) and units else units or {}
        return Shaped(self, Shape(units={**dict(named), **more}))

    def header(self, title: str) -> Shaped:
        """The table under another title; "" for none."""
        from .tables import Shape

        return Shaped(self, Shape(title=title))

    def caption(self, text: str, *, label: str = "") -> Shaped:
        r"""The table with a caption, which LaTeX prints in place of the title and other formats
        below it; `label`: for \ref in LaTeX, the id of the table in HTML.

        Raises ValueError for a label that LaTeX cannot take."""
        from .render import require_label
        from .tables import Shape

        require_label(label or None)
        return Shaped(self, Shape(caption=text, label=label))

    def to_latex(self, *, caption: str | None = None, label: str | None = None) -> str:
        r"""The table for \input or for pasting, all text escaped: a bare `tabular`, and with a
        caption or a label the whole `table` with its notes below. Comments name the packages that
        it needs; `.save("table.tex")` writes a whole document.

        Args:
            caption: plain text.
            label: for \ref, as "tab:googlenet".

        Raises ValueError for a label that LaTeX cannot take."""
        from .render import latex
        from .tables import Shape

        shape = Shape(caption=caption or "", label=label or "")
        return latex(shape.of(self.sheet), fragment=True)

    def save(self, path: str | os.PathLike[str], *, format: str | None = None) -> None:
        """Write the table: .txt, .md, .tex, .html, .csv, .json or .parquet, or `format` by name.

        Raises ValueError for an unknown suffix or format, OSError where it cannot be written."""
        from .render import format_of
        from .trace.files import write_file

        data = self.render(format_of(path, format, self.more_formats))
        write_file(path, data.encode() if isinstance(data, str) else data)

    def render(self, format: str) -> str | bytes:
        """The table in a format by name, as `save` writes it."""
        from .render import FORMATS

        return FORMATS[format](self.sheet)


@dataclass(frozen=True)
class Shaped(Result):
    """A result as its reader wants it: prints, saves and renders `of` in a `shape`."""

    of: Result
    shape: Shape

    def __post_init__(self) -> None:
        _ = self.sheet  # names that the table does not have are refused here

    @property
    def sheet(self) -> Sheet:
        """The table of the result in its shape."""
        return self.shape.of(self.of.sheet)


class Charted(Result):
    """A result with a chart; `chart_kind` names the function of `costlab.render.charts`."""

    chart_kind: ClassVar[str]

    @property
    def chart_numbers(self) -> Sheet:
        """The numbers that the chart shows."""
        return self.sheet

    def chart(self) -> Chart:
        """The chart: shown in a notebook, or saved as .svg, .pdf or .png. Needs the charts
        extra."""
        from ._pictures import chart

        return chart(self.chart_kind, self, numbers=self.chart_numbers)


class Drawn(Result):
    """A result about small modules, which can be drawn side by side, `drawn_a_row` of them in a row
    (0: as many as fit)."""

    drawn_a_row: ClassVar[int] = 0

    @property
    def drawings(self) -> Sequence[tuple[str, Trace]]:
        """The traces to draw, each with its title ("" for the model's name)."""
        raise NotImplementedError

    def diagram(self) -> Picture:
        """The modules side by side: shown in a notebook, or saved as .svg, .pdf, .png or .dot.
        Needs the diagrams extra."""
        from ._pictures import modules

        return modules(self.drawings, self.drawn_a_row)


def review(change: Change, format: str, command: str) -> str | bytes:
    """A change as a document: "md" is a comment for a pull request, "html" and "pdf" a report with
    charts and pictures, whose last page names the `command`.

    Raises ModuleNotFoundError without the report and diagrams extras, for "html" and "pdf"."""
    if format == "md":
        from .render.comment import comment

        return comment(change)
    from .api._report import review_of

    return review_of(change, command).render(format)
