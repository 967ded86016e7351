"""Reports as PDF or HTML."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._models import Model, as_trace

if TYPE_CHECKING:
    from ..render.document import Document
    from ..trace import Trace


@dataclass(frozen=True)
class Report:
    """A document, written by `save`."""

    document: Document

    def __repr__(self) -> str:
        return f"<Report {self.document.title!r}, {len(self.document.sections)} sections>"

    def __str__(self) -> str:
        return "\n".join([self.document.title, *(f"  {s.title}" for s in self.document.sections)])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write FILE.pdf or FILE.html.

        Raises ValueError for another suffix, ModuleNotFoundError without the report extra."""
        from ..trace.files import write_file

        write_file(path, self.render(report_format(path)))

    def render(self, format: str) -> bytes:
        """The document as "pdf" or "html"."""
        if format == "pdf":
            from ..render.pdf import pdf

            return pdf(self.document)
        from ..render.report_html import page

        data = page(self.document)
        return data.encode() if isinstance(data, str) else data


def report_format(path: str | os.PathLike[str]) -> str:
    """The format that a file's suffix names. Raises ValueError for another one."""
    suffix = os.path.splitext(path)[1].removeprefix(".")
    if suffix not in ("pdf", "html"):
        raise ValueError(f"cannot tell the format of {os.fspath(path)!r}; name it .pdf or .html")
    return suffix


def report(
    *models: Model,
    base: Model | None = None,
    head: Model | None = None,
    title: str = "",
    sections: Sequence[str] = (),
    notes: Mapping[str, str] | None = None,
    paper: str = "a4",
    progress: Callable[[int, int, str], None] | None = None,
) -> Report:
    """The document that an architecture review passes around; `.save("FILE.pdf")` writes it.

    Args:
        models: traces, `costlab.load` results or names; several are compared.
        base, head: a review of what changed from one to the other.
        title: of the document.
        sections: only these, in this order; none for all that apply.
        notes: Markdown by the name of a section.
        paper: "a4" or "us-letter".
        progress: called with (done, of, title) before each section.

    Raises ReportError, a ValueError, for an unknown section; ValueError without a model."""
    from ..report import Config, build

    if (base is None) != (head is None):
        raise ValueError("a review needs both base and head")
    review: tuple[Trace, Trace] | None = None
    if base is not None and head is not None:
        review = as_trace(base, "report"), as_trace(head, "report")
    traces = tuple(as_trace(model, "report") for model in models) or (review or ())[1:]
    if not traces:
        raise ValueError('report takes a model: costlab.report("googlenet").save("googlenet.pdf")')
    config = Config(
        title=title,
        sections=tuple(sections),
        notes=tuple((notes or {}).items()),
        paper=paper,
    )
    document = build(
        config, traces, review, "costlab.report", lambda name: as_trace(name, "report"), progress
    )
    return Report(document)
