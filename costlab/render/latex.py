"""LaTeX tables as papers print them: booktabs, Latin Modern, notes below. All text is escaped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from ..tables import Sheet
from .cells import Text, columns
from .fit import fold_header
from .sparse import folded

_ESCAPED = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    '"': r"\textquotedbl{}",
    "[": "{[}",  # after \\ it would begin an optional argument, as would a star
    "]": "{]}",
    "*": "{*}",
    "→": r"$\rightarrow$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "≈": r"$\approx$",
    "−": r"$-$",
    "–": "--",
    "—": "---",
    "…": r"\dots{}",
    "“": "``",
    "”": "''",
    "‘": "`",
    "’": "'",
}
_LIGATURES = re.compile(r"(?<=-)(?=-)|(?<=,)(?=,)")  # two hyphens would become a dash
_PRODUCT = re.compile(r"(?<![\w.])\d+(?:x\d+)+(?![\w.])")  # 3x3, 56x56x96; not a name with an x
_LAST_OF_LATIN_1 = 0xFF
_LABEL = re.compile(r"[A-Za-z0-9:._/+-]+")

_WIDEST_TEXT = 44  # characters of a column of words; what is longer is wrapped
_HEADER = 10  # characters below which a header is not folded
_LINES = 42  # lines of a table that stands on one page
_EM = 2.1  # characters an em, on average
_SIZES = ((10, "normalsize"), (9, "small"), (8, "footnotesize"), (7, "scriptsize"), (5, "tiny"))
_UPRIGHT, _TURNED = 19.0, 27.7  # cm between the margins of A4
_POINTS_A_CM = 28.45
_GAP = 2  # characters between two columns
_END = r"\end{document}"


@dataclass(frozen=True)
class _Column:
    """A column of escaped text: the lines of its header, `spec` as in \\begin{tabular}, `width` in
    characters."""

    header: tuple[str, ...]
    cells: tuple[str, ...]
    total: str
    spec: str
    width: int

    @property
    def is_paragraph(self) -> bool:
        """Whether its cells are wrapped."""
        return len(self.spec) > 1


def latex(sheet: Sheet, *, fragment: bool = False) -> str:
    r"""A booktabs table with its notes below: a document that compiles as it is, or a fragment.

    A table of more than a page is a longtable, at a size at which its columns fit; a shorter one is
    scaled down where it is wider than the line. Where that keeps the page upright, many columns
    with few values become one.

    Args:
        fragment: the table alone, for \input; comments name the packages that it needs. A sheet
            with a caption or a label is a float with notes below; one without is a bare tabular,
            and its notes are comments.

    Raises ValueError for a label that LaTeX cannot take."""
    require_label(sheet.caption.label or None)
    sheet = sheet.shortened
    texts = _texts(sheet)
    cols = list(map(_column, texts))
    long = sum(_heights(sheet, texts)) > _LINES
    bare = fragment and not (sheet.caption.text or sheet.caption.label)
    uses = rf"\usepackage{{{','.join(_packages(cols, long=long, bare=bare))}}}"
    if bare:
        lines = _bare(sheet, cols, long=long)
    else:
        lines = (_longtable if long else _table)(sheet, cols, _heading(sheet))
    if fragment:
        font = r"\usepackage[T1]{fontenc}\usepackage{lmodern}"
        return "\n".join([f"% needs {uses}", f"% best with {font}", *lines]) + "\n"
    return "\n".join([*_preamble(cols), uses, r"\begin{document}", *lines, _END]) + "\n"


def _packages(cols: Sequence[_Column], *, long: bool, bare: bool) -> Iterator[str]:
    """What a document has to load."""
    yield "booktabs"
    if long or not bare:
        yield "longtable" if long else "graphicx"
    if any(c.is_paragraph for c in cols):
        yield "array"


def _heading(sheet: Sheet) -> str:
    r"""\caption and \label; the title where nobody wrote a caption."""
    caption = sheet.caption
    short = rf"[{{{escape(caption.short)}}}]" if caption.short and caption.text else ""
    label = rf"\label{{{caption.label}}}" if caption.label else ""
    text = escape(caption.text or sheet.title)
    return rf"\caption{short}{{{text}}}{label}" if text or label else ""


def require_label(label: str | None) -> None:
    """Raise ValueError for a label with other characters than letters, digits and : . _ / + -."""
    if label is not None and not _LABEL.fullmatch(label):
        raise ValueError(
            f"cannot take the label {label!r}; write it with letters, digits and : . _ / + -, as "
            "tab:googlenet"
        )


def escape(text: str) -> str:
    """Text as LaTeX prints it. Grids such as 3x3 have a multiplication sign; characters that no
    font of pdfLaTeX has are named by their code point."""
    parts: list[str] = []
    end = 0
    for found in _PRODUCT.finditer(text):
        parts += [_escape(text[end : found.start()]), found[0].replace("x", r"$\times$")]
        end = found.end()
    return "".join([*parts, _escape(text[end:])])


def _escape(text: str) -> str:
    return "".join(_character(c) for c in _LIGATURES.sub("\0", text))


def _character(c: str) -> str:
    """A character as LaTeX sets it; the code point of one beyond Latin-1, as in U+03B1."""
    if c == "\0":
        return "{}"
    if c in _ESCAPED:
        return _ESCAPED[c]
    if not c.isprintable():
        return " "
    return c if ord(c) <= _LAST_OF_LATIN_1 else f"U+{ord(c):04X}"


def _texts(sheet: Sheet) -> Sequence[Text]:
    """The columns; many sparse ones are one where that keeps the page upright."""
    every = columns(sheet, grouped=True)
    ways = (every, *folded(every))
    return next((way for way in ways if not _is_wide(list(map(_column, way)))), every)


def _column(text: Text) -> _Column:
    wide = not text.right and text.width > _WIDEST_TEXT
    width = min(text.width, _WIDEST_TEXT) if wide else text.width
    head = fold_header(text.header, max(_HEADER, width))
    paragraph = rf">{{\raggedright\arraybackslash}}p{{{_WIDEST_TEXT / _EM:.0f}em}}"
    return _Column(
        tuple(map(escape, head)),
        tuple(map(escape, text.cells)),
        escape(text.total),
        "r" if text.right else paragraph if wide else "l",
        max(width, *map(len, head)),
    )


def _heights(sheet: Sheet, texts: Sequence[Text]) -> Iterator[int]:
    """The lines that each row takes, with the heading above it."""
    cols = [c for c in texts if not c.right]
    for i, heading in enumerate(sheet.headings()):
        lines = max((ceil(len(c.cells[i]) / _WIDEST_TEXT) for c in cols), default=1)
        yield max(lines, 1) + bool(heading)


def _table(sheet: Sheet, cols: Sequence[_Column], heading: str) -> Iterator[str]:
    yield from (r"\begin{table}[!htbp]", r"\centering", heading, "")
    yield r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
    *lines, end = _tabular(sheet, cols)
    yield from (*lines, end + "}")
    yield from _notes(sheet)
    yield r"\end{table}"


def _tabular(sheet: Sheet, cols: Sequence[_Column]) -> Iterator[str]:
    yield _begin("tabular", cols)
    yield from (r"\toprule", _head(cols), r"\midrule", *_body(sheet, cols), r"\bottomrule")
    yield r"\end{tabular}"


def _begin(environment: str, cols: Sequence[_Column]) -> str:
    return rf"\begin{{{environment}}}{{@{{}}{''.join(c.spec for c in cols)}@{{}}}}"


def _bare(sheet: Sheet, cols: Sequence[_Column], *, long: bool) -> Iterator[str]:
    """The tabular alone, a longtable where it is more than a page; what is said of it above, where
    LaTeX does not print it."""
    yield from (f"% {' '.join(line.split())}" for line in (sheet.title, *sheet.notes))
    yield from _longtable_alone(sheet, cols, "") if long else _tabular(sheet, cols)


def _longtable(sheet: Sheet, cols: Sequence[_Column], heading: str) -> Iterator[str]:
    yield rf"\begingroup\{_size(cols)}\setlength{{\tabcolsep}}{{4pt}}"
    yield from _longtable_alone(sheet, cols, heading)
    yield from _notes(sheet)
    yield r"\endgroup"


def _longtable_alone(sheet: Sheet, cols: Sequence[_Column], heading: str) -> Iterator[str]:
    yield _begin("longtable", cols)
    if heading:
        yield heading + r" \\"
    yield from (r"\toprule", _head(cols), r"\midrule", r"\endfirsthead")
    yield from (r"\toprule", _head(cols), r"\midrule", r"\endhead")
    yield rf"\midrule \multicolumn{{{len(cols)}}}{{r@{{}}}}{{\textit{{continued}}}} \\ \endfoot"
    yield r"\bottomrule \endlastfoot"
    yield from _body(sheet, cols)
    yield r"\end{longtable}"


def _head(cols: Sequence[_Column]) -> str:
    return _row([_stack(c) for c in cols])


def _stack(column: _Column) -> str:
    """A header, one line above the other."""
    if len(column.header) == 1:
        return column.header[0]
    side = "r" if column.spec == "r" else "l"
    lines = r" \\ ".join(column.header)
    return rf"\begin{{tabular}}[b]{{@{{}}{side}@{{}}}}{lines}\end{{tabular}}"


def _body(sheet: Sheet, cols: Sequence[_Column]) -> Iterator[str]:
    for i, heading in enumerate(sheet.headings()):
        if heading:
            yield from ([r"\addlinespace"] if i else [])
            yield rf"\multicolumn{{{len(cols)}}}{{@{{}}l}}{{\textit{{{escape(heading)}}}}} \\"
        yield _row([c.cells[i] for c in cols])
    if sheet.total is not None:
        yield r"\midrule"
        yield _row([c.total for c in cols])


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _notes(sheet: Sheet) -> Iterator[str]:
    """The notes below the table, a paragraph each."""
    if sheet.notes:
        yield r"\par\medskip{\footnotesize\raggedright\noindent"
        yield "\\par\\noindent\n".join(map(escape, sheet.notes))
        yield r"\par}"


def _preamble(cols: Sequence[_Column]) -> Iterator[str]:
    turned = ",landscape" if _is_wide(cols) else ""
    yield r"\documentclass{article}"
    yield r"\usepackage[T1]{fontenc}"
    yield r"\usepackage{lmodern}"
    yield rf"\usepackage[a4paper{turned},margin=1cm]{{geometry}}"


def _width(cols: Sequence[_Column], size: float) -> float:
    """About how many centimetres the columns take at a size in points."""
    characters = sum(c.width + _GAP for c in cols)
    return characters / _EM * size / _POINTS_A_CM


def _is_wide(cols: Sequence[_Column]) -> bool:
    """Whether the columns need a turned page at 9 points."""
    return _width(cols, 9) > _UPRIGHT


def _size(cols: Sequence[_Column]) -> str:
    """The largest size at which the columns fit on the page."""
    room = _TURNED if _is_wide(cols) else _UPRIGHT
    return next((name for size, name in _SIZES if _width(cols, size) <= room), _SIZES[-1][1])
