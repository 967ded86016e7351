"""A document as PDF by typst: contents, page numbers, repeated table headers, captions, references,
alternative text; PDF/UA-1."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from . import notes
from .document import Document, Grid, Numbers, Part, Picture, Points, Ref, Section, Text
from .fullness import PPI, blank, emptiness, half_empty
from .pdf_tables import ROOM, TypstTable, typst_table
from .typeset import compile, quote, set_text

_HEAD = """#set document(title: {title}, date: none, author: "costlab", keywords: ({digest},))
#set text(lang: "en", font: ("Libertinus Serif", "DejaVu Sans"), size: 10.5pt)
#set page(paper: {paper}, margin: (x: 2cm, top: 2.2cm, bottom: 2cm), numbering: "1 / 1",
  header: context if counter(page).get().first() > 1 [
  #text(size: 8pt, fill: luma(35%))[#{title}]])
#set par(justify: false, leading: 0.62em)
#set heading(numbering: "1.1")
#show heading: set text(font: "DejaVu Sans", size: 0.86em)
#show heading: set block(above: 1.5em, below: 0.8em)
#show figure.caption: set text(size: 9pt)
#show figure.caption: set align(left)
#show figure.where(kind: table): set figure.caption(position: top)
#set table(stroke: none, inset: (x, y) => (
  x: 3pt,
  top: if y == 1 {{ 4.6pt }} else {{ 2.6pt }},
  bottom: if y == 0 {{ 3.6pt }} else {{ 2.6pt }}))
#show link: set text(fill: rgb("#00557F"))
#show ref: set text(fill: rgb("#00557F"))
#let bar(share) = box(width: 12pt, height: 5.5pt, align(left,
  rect(width: 12pt * share, height: 5.5pt, fill: rgb("#0072B2"), stroke: none)))
#let keep = [#block(height: 100pt, above: 0pt, below: 0pt, breakable: false)#v(-86pt)]
"""
_HIGH = {"a4": 610, "us-letter": 570}  # points: a picture's height
_LEGIBLE = 0.9  # a picture is scaled as far as this, and turned before it is scaled further
_TURNED = "#page(flipped: true, margin: (x: 2cm, top: 1.6cm, bottom: 1.3cm))"
_IN_PLACE = 1 / 3  # of a page: a picture that is no higher stays where it is spoken of
_OPENINGS = ("summary", "introduction")  # what shares the first page with the contents
_CONTENTS = "#outline(title: [Contents], depth: 1)\n"
# before the last section, so that the text which ends a document is not between pictures
_PICTURES_SO_FAR = "#place.flush()\n"


def pdf(document: Document) -> bytes:
    """PDF bytes, the same for the same document. Raises ImportError without typst and matplotlib
    (for its fonts), ValueError for a logo that cannot be set."""
    try:
        return _compiled(_best_first(document))
    except ValueError as e:
        raise ValueError(f"{e}; is the logo damaged?" if document.logo else str(e)) from None


def _compiled(sources: Iterable[Source]) -> bytes:
    """The PDF of the first source that typst can tag: it fails on some whose figures float."""
    failed: list[ValueError] = []
    for source in sources:
        try:
            return compile(*source, "ua-1")[0]
        except ValueError as e:
            failed.append(e)
    raise failed[0]


def _best_first(document: Document) -> list[Source]:
    """The ways to set a document: those that leave no page half empty before the others, those with
    wide tables on pages of their own before those with turned ones, and the fullest first."""
    ranked: list[tuple[tuple[bool, bool, float], Source]] = []
    for way in WAYS:
        source = typst_source(document, way)
        if all(source != other for _, other in ranked):
            pages = [blank(page) for page in compile(*source, ppi=PPI)]
            ranked.append(((half_empty(pages), way.sideways, emptiness(pages)), source))
    return [source for _, source in sorted(ranked, key=lambda found: found[0])]


def typst_source(document: Document, way: Way) -> Source:
    """The document in typst, and the files that it takes in by name."""
    writer = _Writer(document, way)
    opening = [s for s in document.sections[:1] if s.id in _OPENINGS]
    others = list(map(writer.section, document.sections[len(opening) :]))
    source = [
        *writer.front(),
        *map(writer.section, opening),
        _CONTENTS,
        *others[:-1],
        _PICTURES_SO_FAR,
        *others[-1:],
    ]
    return "\n".join(source), writer.files


Source = tuple[str, dict[str, bytes]]  # typst, and files by name


@dataclass(frozen=True)
class Way:
    """How a document is set. `sideways`: a table that is too wide is turned in a figure of its own,
    and text goes on around it, instead of on a page that is turned; `floating`: high pictures go to
    the foot of a page that has room, and text goes on above them."""

    sideways: bool
    floating: bool


WAYS = (Way(False, True), Way(False, False), Way(True, True), Way(True, False))


class _Writer:
    """Writes the parts of one document, and keeps the files that they take in."""

    def __init__(self, document: Document, way: Way) -> None:
        self.document, self.way = document, way
        self.numbers: Mapping[str, str] = document.numbers
        self.files: dict[str, bytes] = {}

    def front(self) -> Iterator[str]:
        """Settings, logo and title."""
        d = self.document
        yield _HEAD.format(
            title=quote(d.title),
            paper=quote(d.paper),
            digest=quote(f"costlab document {d.digest}"),
        )
        if d.logo:
            data, suffix = d.logo
            self.files["logo" + suffix] = data
            yield f'#image("logo{suffix}", height: 1.6cm, alt: "logo")\n'
        title = f'#text(size: 20pt, weight: "bold", font: "DejaVu Sans")[{set_text(d.title)}]'
        yield f"{title}\\\n#text(fill: luma(25%))[{set_text(d.subtitle)}]\n"

    def section(self, section: Section) -> str:
        """A section. A table that is too wide has a turned page of its own, with what introduces
        it; the rest of the section stays upright."""
        tables = {
            part.id: typst_table(part, self.document.paper, self.way.sideways)
            for part in section.parts
            if isinstance(part, Grid)
        }
        done: list[str] = []
        waiting = [f"= {set_text(section.title)}\n"]
        for part, after in zip(section.parts, (*section.parts[1:], None), strict=True):
            waiting.append(self._part(part, after, tables))
            if isinstance(part, Grid) and tables[part.id].turned:
                done.append(f"{_TURNED}[\n" + "\n".join(waiting) + "\n]\n")
                waiting = []
            elif not self._introduces(part, after, tables):
                done += waiting
                waiting = []
        return "\n".join([*done, *waiting])

    def _introduces(self, part: Part, after: Part | None, tables: Mapping[str, TypstTable]) -> bool:
        """Whether a part goes on the page of the turned table after it."""
        turned = isinstance(after, Grid) and tables[after.id].turned
        return isinstance(part, Text) and turned

    def _part(self, part: Part, after: Part | None, tables: Mapping[str, TypstTable]) -> str:
        if isinstance(part, Text):
            return self._paragraph(part, after)
        if isinstance(part, Points):
            items = ", ".join(f"[{self._words(t)}]" for t in part.items)
            return f"#list({items})\n"
        if isinstance(part, Numbers):
            return _numbers(part)
        if isinstance(part, Grid):
            return tables[part.id].source
        return self._picture(part)

    def _paragraph(self, text: Text, after: Part | None) -> str:
        """A paragraph; the one before a table or list stays on its page. A picture goes where there
        is room."""
        if text.markdown:
            return notes.to_typst("".join(map(str, text.parts)), quote) + "\n"
        words = self._words(text)
        sticky = isinstance(after, Grid | Points)
        return f"#block(sticky: true)[{words}]\n" if sticky else words + "\n"

    def _words(self, text: Text) -> str:
        return "".join(map(self._word, text.parts))

    def _word(self, part: str | Ref) -> str:
        if not isinstance(part, Ref):
            return set_text(_breakable(part))
        if part.id not in self.numbers:
            return ""
        return f"{set_text(part.before)}#ref(label({quote(part.id)}));{set_text(part.after)}"

    def _picture(self, p: Picture) -> str:
        """A figure; further pages of it follow, which say so in their captions."""
        first, *more = p.pages or (p.svg,)
        caption = f"caption: [{set_text(p.caption)}]"
        image, height = self._image(first, p.alt)
        floats = self.way.floating and height > _IN_PLACE * _HIGH[self.document.paper]
        where = self._place() if floats else "none"
        found = f"#figure(placement: {where}, {caption}, {image}) #label({quote(p.id)})\n"
        for i, svg in enumerate(more, 2):
            words = f"{self.numbers[p.id]}, page {i} of {len(p.pages)}"
            image, _ = self._image(svg, f"{p.alt}, page {i}")
            found += (
                f'#figure(placement: {where}, kind: "page", supplement: none, numbering: none, '
                f"caption: [{set_text(words)}], {image})\n"
            )
        return found

    def _place(self) -> str:
        """Where a picture floats. typst may put it above the title of the first page, so the first
        picture goes to the foot of a page; for the others it chooses what fills the pages."""
        return "bottom" if len(self.files) == 1 else "auto"

    def _image(self, svg: str, alt: str) -> tuple[str, float]:
        """A picture in its size where a page is as wide; one that fits a turned page only is turned
        itself; a larger one is scaled. Also its height on the page, in points."""
        name = f"figure{len(self.files)}.svg"
        self.files[name] = svg.encode()
        room = ROOM[self.document.paper][0], _HIGH[self.document.paper]
        width, height = _size(svg)
        upright, turned = _scale(width, height, room), _scale(height, width, room)
        sideways = upright < _LEGIBLE * turned
        shown = width * (turned if sideways else upright)
        found = f"image({quote(name)}, width: {shown:.1f}pt, alt: {quote(alt)})"
        if sideways:
            return f"rotate(-90deg, reflow: true, {found})", shown
        return found, height * upright


def _breakable(words: str) -> str:
    """Long module paths may break after a dot or an underscore."""
    return re.sub(r"[\w.]{30,}", lambda m: re.sub(r"([._])(?=[^\W\d])", "\\1\u200b", m[0]), words)


def _numbers(numbers: Numbers) -> str:
    cells = ", ".join(
        f'[#text(size: 15pt, weight: "bold", font: "DejaVu Sans")[{set_text(value)}]\\ '
        f"#text(size: 8.5pt)[{set_text(words)}]]"
        for value, words in numbers.items
    )
    return f"#grid(columns: ({'1fr, ' * len(numbers.items)}), column-gutter: 10pt, {cells})\n"


def _scale(width: float, height: float, room: tuple[float, float]) -> float:
    """How much smaller a picture must be for a page, at most 1."""
    return min(1.0, room[0] / width, room[1] / height)


def _size(svg: str) -> tuple[float, float]:
    """Width and height of a picture, in points."""
    box = re.search(r'viewBox="[\d.-]+ [\d.-]+ ([\d.]+) ([\d.]+)"', svg)
    if not box:
        raise ValueError("the picture has no viewBox")
    return float(box[1]), float(box[2])
