"""A document as PDF by typst: contents, page numbers, repeated table headers, captions, references, alternative text; PDF/UA-1."""

from __future__ import annotations

import re

from . import _notes
from ._cells import columns
from ._typeset import compile, fit_fonts, quote
from .document import Document, Grid, Numbers, Picture, Points, Ref, Text

_HEAD = """#set document(title: {title}, date: none, author: "costlab", keywords: ({digest},))
#set text(lang: "en", font: ("Libertinus Serif", "DejaVu Sans"), size: 10.5pt)
#set page(paper: {paper}, margin: (x: 2cm, top: 2.2cm, bottom: 2cm), numbering: "1 / 1", header: context if counter(page).get().first() > 1 [
  #text(size: 8pt, fill: luma(35%))[#{title}]])
#set par(justify: false, leading: 0.62em)
#set heading(numbering: "1.1")
#show heading: set text(font: "DejaVu Sans", size: 0.86em)
#show heading: set block(above: 1.5em, below: 0.8em)
#show figure.caption: set text(size: 9pt)
#show figure.caption: set align(left)
#show figure.where(kind: table): set figure.caption(position: top)
#set table(stroke: none, inset: (x, y) => (
  x: 3pt, top: if y == 1 {{ 4.6pt }} else {{ 2.6pt }}, bottom: if y == 0 {{ 3.6pt }} else {{ 2.6pt }}))
#show link: set text(fill: rgb("#00557F"))
#show ref: set text(fill: rgb("#00557F"))
#let bar(share) = box(width: 12pt, height: 5.5pt, align(left, rect(width: 12pt * share, height: 5.5pt, fill: rgb("#0072B2"), stroke: none)))
#let keep = [#block(height: 100pt, above: 0pt, below: 0pt, breakable: false)#v(-86pt)]
"""
# points: the text's width upright and turned, and a cell's own margins
_ROOM = {"a4": (480, 728), "us-letter": (497, 678)}
_HIGH = {"a4": (610, 380), "us-letter": (570, 390)}  # points: a picture's height
_GAP, _BAR = 7, 14
_WHOLE = 320  # points: a table up to this height is not broken
_LETTER = (
    0.6  # width of a letter of DejaVu Sans, in its size; numbers and words of tables are near it
)


def _text(words: str) -> str:
    return "#" + quote(words) + ";"


def _words(text: Text, numbers) -> str:
    out = []
    for part in text.parts:
        if not isinstance(part, Ref):
            # long module paths break after a dot
            out.append(
                _text(
                    re.sub(
                        r"[\w.]{30,}",
                        lambda m: re.sub(r"([._])(?=[^\W\d])", "\\1\u200b", m[0]),
                        part,
                    )
                )
            )
        elif part.id in numbers:
            out.append(f"{_text(part.before)}#ref(label({quote(part.id)}));{_text(part.after)}")
    return "".join(out)


def _widths(cols, size, room, squeeze=False):
    """Widths in points that fit `room`: numbers and short words take what they need, long text shares the rest; None: it cannot. With
    `squeeze` words give way instead: their columns share what the numbers leave."""
    need = []
    for c in cols:
        cells = max((len(v) for v in (*c.cells, c.total)), default=0)
        head = max(map(len, re.findall(r"[^ /+,]+[/+,]*", c.header) or [""])) * 1.1
        need.append(
            (
                max(cells, head) if c.right else max(min(cells, 22), head),
                cells,
                c.right or cells <= 22,
            )
        )
    fixed = [
        n * _LETTER * size + _GAP + (_BAR if c.bars else 0) for (n, _, _), c in zip(need, cols)
    ]
    texts = [i for i, (_, _, short) in enumerate(need) if not short]
    if squeeze:
        words = [i for i, c in enumerate(cols) if not c.right]
        left = max(0.3 * room, room - sum(w for i, w in enumerate(fixed) if i not in words))
        wanted = sum(fixed[i] for i in words)
        return [w * min(1, left / wanted) if i in words else w for i, w in enumerate(fixed)]
    if not texts:
        return fixed if sum(fixed) <= room else None
    rest = room - sum(w for i, w in enumerate(fixed) if i not in texts)
    floor = 9 * size
    if rest < sum(max(floor, fixed[i]) for i in texts):
        return None
    lengths = [min(need[i][1], 120) for i in texts]
    for i, length in zip(texts, lengths):
        fixed[i] = max(floor, min(rest * length / sum(lengths), length * _LETTER * size + _GAP))
    return fixed


def _grid(g: Grid, paper: str) -> tuple[str, bool]:
    """The table, and whether it needs the page turned."""
    cols = columns(g.sheet)
    size, wide, widths = 8.5, False, None
    for size, wide in (
        (8.5, False),
        (7.5, False),
        (6.6, False),
        (6.2, False),
        (7.5, True),
        (6.6, True),
        (5.8, True),
        (5.0, True),
    ):
        widths = _widths(cols, size, _ROOM[paper][wide])
        if widths:
            break
    widths = widths or _widths(cols, size, _ROOM[paper][True], True)
    width = ", ".join(f"{w:.1f}pt" for w in widths)
    align = ", ".join("right + horizon" if c.right else "left + horizon" for c in cols)

    def cell(text, bold=False, after=""):
        # a break may come after these marks in long names, so that no word leaves its column
        words = re.sub(
            r"([+,→/_.}])(?=\S)" if bold else r"([+→/_.}])(?=[^\s\d])", "\\1\u200b", text
        )
        return (
            f"[#strong[{_text(words)}]]"
            if bold and text
            else f"[#box[{_text(words)}{after}]]"
            if after
            else f"[{_text(words)}]"
        )

    rows = [
        ", ".join(cell(c.cells[i], after=f" #bar({c.bars[i]:.4f})" if c.bars else "") for c in cols)
        for i in range(len(g.sheet.rows))
    ]
    end = (
        [
            "table.hline(stroke: 0.5pt)",
            ", ".join(cell(c.total, after=" #bar(0)" if c.bars else "") for c in cols),
        ]
        if g.sheet.total is not None
        else []
    )
    parts = [
        "table.hline(stroke: 0.8pt)",
        f"table.header(repeat: true, {', '.join(cell(c.header, True) for c in cols)}, table.hline(stroke: 0.5pt))",
        *rows,
        *end,
        "table.hline(stroke: 0.8pt)",
    ]
    lines = sum(
        max(
            [1, *(-(-len(c.cells[i]) * _LETTER * size // (w - _GAP)) for c, w in zip(cols, widths))]
        )
        for i in range(len(rows))
    )
    notes = sum(-(-len(note) * 4 // _ROOM[paper][wide]) * 12 for note in g.sheet.notes)
    whole = (
        lines * (1.35 * size + 5) + notes < _WHOLE
    )  # a short table stays on one page, with its notes
    body = (
        f'#figure(kind: table, caption: [{_text(g.caption)}])[#set text(size: {size}pt, font: "DejaVu Sans", weight: "regular")\n'
        f"#table(columns: ({width},), align: ({align},), {(', ' + chr(10)).join(parts)})] #label({quote(g.id)})\n"
        + "".join(f"#text(size: 8pt, fill: luma(25%))[{_text(note)}]\\\n" for note in g.sheet.notes)
    )
    return (
        f"#block(breakable: false)[#show figure: set block(breakable: false)\n{body}]\n"
        if whole
        else f"#[#keep\n#show figure: set block(breakable: true)\n{body}]\n",
        wide,
    )


def _picture(p: Picture, name: str, paper: str, turned: bool) -> str:
    width, height = map(
        float, re.search(r'viewBox="[\d.-]+ [\d.-]+ ([\d.]+) ([\d.]+)"', p.svg).groups()
    )
    scale = min(1, _ROOM[paper][turned] / width, _HIGH[paper][turned] / height)
    return f"#figure(caption: [{_text(p.caption)}], image({quote(name)}, width: {width * scale:.1f}pt, alt: {quote(p.alt)})) #label({quote(p.id)})\n"


def pdf(document: Document) -> bytes:
    """PDF bytes, the same for the same document. Raises ImportError without typst and matplotlib (for its fonts),
    ValueError for a logo that cannot be set."""
    files, numbers = {}, document.numbers
    out = [
        _HEAD.format(
            title=quote(document.title),
            paper=quote(document.paper),
            digest=quote(f"costlab document {document.digest}"),
        )
    ]
    if document.logo:
        files["logo" + document.logo[1]] = document.logo[0]
        out.append(f'#image("logo{document.logo[1]}", height: 1.6cm, alt: "logo")\n')
    out.append(
        f'#text(size: 20pt, weight: "bold", font: "DejaVu Sans")[{_text(document.title)}]\\\n#text(fill: luma(25%))[{_text(document.subtitle)}]\n'
    )
    opening = [
        s for s in document.sections[:1] if s.id in ("summary", "introduction")
    ]  # what shares the first page with the contents
    for section in (*opening, None, *document.sections[len(opening) :]):
        if section is None:
            out.append("#v(1fr)\n#outline(title: [Contents], depth: 1)\n#pagebreak()\n")
            continue
        body = [f"= {_text(section.title)}\n"]
        grids = {
            part.id: _grid(part, document.paper) for part in section.parts if isinstance(part, Grid)
        }
        turned = any(wide for _, wide in grids.values())
        for part, after in zip(section.parts, (*section.parts[1:], None)):
            if isinstance(part, Text):
                words = (
                    _notes.to_typst(part.words, quote) if part.markdown else _words(part, numbers)
                )
                body.append(
                    f"#block(sticky: true)[{words}]\n"
                    if isinstance(after, (Grid, Picture, Points)) and not part.markdown
                    else words + "\n"
                )
            elif isinstance(part, Points):
                body.append(
                    "#list(" + ", ".join(f"[{_words(t, numbers)}]" for t in part.items) + ")\n"
                )
            elif isinstance(part, Numbers):
                cells = ", ".join(
                    f'[#text(size: 15pt, weight: "bold", font: "DejaVu Sans")[{_text(v)}]\\ #text(size: 8.5pt)[{_text(w)}]]'
                    for v, w in part.items
                )
                body.append(
                    f"#grid(columns: ({'1fr, ' * len(part.items)}), column-gutter: 10pt, {cells})\n"
                )
            elif isinstance(part, Grid):
                body.append(grids[part.id][0])
            else:
                name = f"figure{len(files)}.svg"
                files[name] = (fit_fonts(part.svg) if "Arial" in part.svg else part.svg).encode()
                body.append(_picture(part, name, document.paper, turned))
        whole = "\n".join(body)
        out.append(f"#page(flipped: true)[\n{whole}\n]\n" if turned else whole)
    try:
        return compile("\n".join(out), files, "ua-1")
    except ValueError as e:
        raise ValueError(f"{e}; is the logo damaged?" if document.logo else str(e)) from None
