"""A Sheet in, text or bytes out: one function a format. No arithmetic on costs beyond units and shares."""

from ._data import csv_text, json_text, parquet
from ._markup import html_page, latex, markdown
from ._text import plain, terminal

FORMATS = {
    "text": plain,
    "md": markdown,
    "latex": latex,
    "html": html_page,
    "csv": csv_text,
    "json": json_text,
    "parquet": parquet,
}
__all__ = [
    "FORMATS",
    "csv_text",
    "html_page",
    "json_text",
    "latex",
    "markdown",
    "parquet",
    "plain",
    "terminal",
]
