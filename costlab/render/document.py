"""A document: sections of text, tables and pictures. What `costlab report` builds and the PDF and HTML renderers take."""
from __future__ import annotations

from dataclasses import dataclass, field

from ..tables import Sheet


@dataclass(frozen=True)
class Text:
    """A paragraph of plain text; `markdown` is a user's note (headings, lists, emphasis, code)."""

    words: str
    markdown: bool = False


@dataclass(frozen=True)
class Numbers:
    """The figures that matter: (value, what it is) each."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Grid:
    """A table with its caption; `main` marks the network's own, whose rows the diagram and the charts link to."""

    sheet: Sheet
    caption: str
    main: bool = False


@dataclass(frozen=True)
class Picture:
    """An SVG with caption and alternative text; `diagram` marks the network's block diagram."""

    svg: str
    caption: str
    alt: str
    diagram: bool = False


@dataclass(frozen=True)
class Section:
    """A headed part; `id` names it in links and in the TOML."""

    id: str
    title: str
    parts: tuple = ()


@dataclass(frozen=True)
class Document:
    """The whole, `paper` a4 or us-letter, `logo` an SVG or PNG as bytes with its suffix."""

    title: str
    subtitle: str
    sections: tuple[Section, ...]
    paper: str = "a4"
    logo: tuple[bytes, str] | None = field(default=None)
