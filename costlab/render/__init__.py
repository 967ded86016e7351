"""A Sheet in, text or bytes out: one function a format. No arithmetic on costs beyond units and
shares."""

import os
from collections.abc import Callable, Sequence

from .._narrow import StrPath
from .._pictures import CHART_FORMATS, DIAGRAM_FORMATS, Chart, Picture
from ..tables import ALL, Column, Shape, Sheet, column_names
from ..trace.files import write_file
from .data import csv_text, json_text, parquet
from .latex import latex, require_label
from .markup import html_fragment, html_page, markdown
from .plain_document import terminal_page
from .text import plain, terminal

FORMATS: dict[str, Callable[[Sheet], str | bytes]] = {
    "text": plain,
    "md": markdown,
    "latex": latex,
    "html": html_page,
    "csv": csv_text,
    "json": json_text,
    "parquet": parquet,
}
SUFFIXES = {
    ".txt": "text",
    ".md": "md",
    ".tex": "latex",
    ".html": "html",
    ".htm": "html",
    ".csv": "csv",
    ".json": "json",
    ".parquet": "parquet",
}


def format_of(path: StrPath | None, format: str | None = None, more: Sequence[str] = ()) -> str:
    """The name of the format of a file: `format` where it is given, otherwise by the suffix; "text"
    where there is none. `more`: formats of this result alone, by suffix. Raises ValueError for an
    unknown format or suffix."""
    if format is not None:
        known = (*FORMATS, *more)
        if format not in known:
            raise ValueError(f"unknown format {format!r}; choose {', '.join(known)}")
        return format
    suffixes = {**SUFFIXES, **{f".{name}": name for name in more}}
    suffix = os.path.splitext(path or "")[1].lower()
    if suffix and suffix not in suffixes:
        raise ValueError(
            f"cannot tell the format of {os.fspath(path or '')!r}; "
            f"name it {', '.join(suffixes)}, or name the format"
        )
    return suffixes.get(suffix, "text")


__all__ = [
    "ALL",
    "CHART_FORMATS",
    "Chart",
    "Column",
    "DIAGRAM_FORMATS",
    "FORMATS",
    "Picture",
    "SUFFIXES",
    "Shape",
    "Sheet",
    "column_names",
    "csv_text",
    "format_of",
    "html_fragment",
    "html_page",
    "json_text",
    "latex",
    "markdown",
    "parquet",
    "plain",
    "require_label",
    "terminal",
    "terminal_page",
    "write_file",
]
