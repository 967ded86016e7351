"""A document as text, as Markdown and as a part of an HTML page: words, tables, no pictures."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .document import Document, Grid, Text
from .markup import escape, html_fragment, markdown
from .notes import to_html, to_text
from .text import plain, terminal

if TYPE_CHECKING:
    from ..tables import Sheet

_WIDTH = 80


def text_page(document: Document, width: int = _WIDTH) -> str:
    """A document for a pipe."""
    parts = (part if isinstance(part, str) else plain(part) for _, part in _parts(document, width))
    return "\n".join(parts)


def terminal_page(document: Document, *, wide: bool = False) -> None:
    """Print a document in the width of the terminal; `wide`: tables with all columns.

    Raises ModuleNotFoundError without rich."""
    from rich.console import Console
    from rich.text import Text as Styled

    console = Console(highlight=False)
    for style, part in _parts(document, min(console.width, _WIDTH)):
        if isinstance(part, str):
            console.print(Styled(part, style=style), soft_wrap=True)
        else:
            terminal(part, wide=wide)
            console.print()


def markdown_page(document: Document) -> str:
    """A document as GitHub shows it."""
    lines = [f"# {escape(document.title)}", escape(document.subtitle)]
    for section in document.sections:
        lines.append(f"## {escape(section.title)}")
        for part in section.parts:
            if isinstance(part, Grid):
                lines.append(markdown(part.sheet).rstrip())
            elif isinstance(part, Text):
                lines.append(_words(part).strip())
    return "\n\n".join(lines) + "\n"


def html_parts(document: Document) -> str:
    """A document for a page that is there, such as a notebook."""
    parts = [f"<h2>{html.escape(document.title)}</h2><p>{html.escape(document.subtitle)}</p>"]
    for section in document.sections:
        parts.append(f"<h3>{html.escape(section.title)}</h3>")
        parts += (
            html_fragment(part.sheet) if isinstance(part, Grid) else to_html(_words(part))
            for part in section.parts
            if isinstance(part, Grid | Text)
        )
    return "".join(parts)


def _parts(document: Document, width: int) -> Iterator[tuple[str, str | Sheet]]:
    """Headings and words with the style of each, and tables."""
    yield "bold", f"{document.title}\n{document.subtitle}\n"
    for section in document.sections:
        yield "bold", section.title
        for part in section.parts:
            if isinstance(part, Grid):
                yield "", part.sheet
            elif isinstance(part, Text):
                yield "", to_text(_words(part), width) + "\n"


def _words(part: Text) -> str:
    """The words of a part, without the numbers of its references."""
    return "".join(word for word in part.parts if isinstance(word, str))
