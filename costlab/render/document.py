"""A document: sections of text, tables and pictures. What `costlab report` builds and the PDF and
HTML renderers take."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..tables import Sheet


@dataclass(frozen=True)
class Ref:
    """A reference to the table or figure of this id, between `before` and `after`; all of it is
    left out where the document has none."""

    id: str
    before: str = " ("
    after: str = ")"


@dataclass(frozen=True)
class Text:
    """A paragraph: plain words and references. `markdown`: `words` is a user's note (headings,
    lists, emphasis, code)."""

    words: str | tuple[str | Ref, ...]
    markdown: bool = False

    @property
    def parts(self) -> tuple[str | Ref, ...]:
        """The words as a tuple."""
        return (self.words,) if isinstance(self.words, str) else self.words


@dataclass(frozen=True)
class Points:
    """A list of short paragraphs."""

    items: tuple[Text, ...]


@dataclass(frozen=True)
class Numbers:
    """The figures that matter: (value, what it is) each."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Grid:
    """A table with its caption and the id for references; `main` marks the network's own, whose
    rows the diagram and charts link to. `inside`: the id of a row -> the cells of rows inside it,
    which a page shows when it is expanded."""

    sheet: Sheet
    caption: str
    id: str
    main: bool = False
    inside: Mapping[str, tuple[Mapping[str, Any], ...]] = field(
        default_factory=dict[str, tuple[Mapping[str, Any], ...]]
    )

    def first(self, most: int) -> Grid:
        """The same with the first `most` rows, and a note that says so where it has more."""
        sheet = self.sheet.first(most)
        if sheet is self.sheet:
            return self
        inside = {name: self.inside[name] for name in sheet.ids if name in self.inside}
        return replace(self, sheet=sheet, inside=inside)


@dataclass(frozen=True)
class OpenBlock:
    """A diagram in which one block is opened: the id of the block's `box` in the closed one, the
    SVG, in which the block's frame has the id "open/" and that, and links as a picture's."""

    box: str
    svg: str
    links: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])


@dataclass(frozen=True)
class Picture:
    """An SVG with caption, alternative text and the id for references.

    A `diagram` of a network pans and zooms in HTML. `links`: the ids of the main table's rows that
    each box or bar stands for, by its id in the SVG (a bar's after "bar:FIELD:"). `pages`: SVGs
    that a PDF shows instead, one a page, where one page does not hold it. `opened`: draws what an
    HTML page shows instead when a block is opened."""

    svg: str
    caption: str
    alt: str
    id: str
    diagram: bool = False
    links: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    pages: tuple[str, ...] = ()
    opened: Callable[[], Sequence[OpenBlock]] = tuple


Part = Text | Points | Numbers | Grid | Picture


@dataclass(frozen=True)
class Section:
    """A headed part; `id` names it in links and in the TOML."""

    id: str
    title: str
    parts: tuple[Part, ...] = ()


# which torch it was traced with says nothing about the numbers
_BUILD = re.compile(r"torch \d[\w.]*(\+\w+)?")


@dataclass(frozen=True)
class Document:
    """The whole, `paper` a4 or us-letter, `logo` an SVG, PNG or JPEG as bytes with its suffix."""

    title: str
    subtitle: str
    sections: tuple[Section, ...]
    paper: str = "a4"
    logo: tuple[bytes, str] | None = None

    @property
    def numbers(self) -> dict[str, str]:
        """What a reference to each id says: Table 1, Figure 2."""
        found: dict[str, str] = {}
        tables = figures = 0
        for part in self.parts():
            if isinstance(part, Grid):
                tables += 1
                found[part.id] = f"Table {tables}"
            elif isinstance(part, Picture):
                figures += 1
                found[part.id] = f"Figure {figures}"
        return found

    def parts(self) -> Iterator[Part]:
        """All parts in order."""
        for section in self.sections:
            yield from section.parts

    @property
    def digest(self) -> str:
        """A fingerprint of what the document says: words, numbers and the labels of pictures; not
        where they stand on the page, nor the version of torch."""
        said = [self.title, self.subtitle, self.paper, str(self.logo)]
        for section in self.sections:
            said.append(section.title)
            for part in section.parts:
                if isinstance(part, Grid):
                    said += [
                        part.caption,
                        repr(part.sheet.records()),
                        repr(part.sheet.total),
                        *part.sheet.notes,
                    ]
                elif isinstance(part, Picture):
                    said += [
                        part.caption,
                        part.alt,
                        *(
                            html.unescape(t)
                            for t in re.findall(r">([^<>\n]+)</(?:text|tspan)>", part.svg)
                        ),
                    ]
                else:
                    said.append(repr(part))
        return hashlib.sha256(_BUILD.sub("torch", "\n".join(said)).encode()).hexdigest()[:32]
