"""Markdown and HTML. Text from users is escaped in each."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from .._text import shown
from ..tables import Sheet
from .cells import Text, columns


def escape(text: str) -> str:
    """Text as Markdown shows it, in one line."""
    return re.sub(r"([\\|`*_<>\[\]#])", r"\\\1", shown(" ".join(text.splitlines())))


def markdown(sheet: Sheet) -> str:
    """A GitHub table and the notes; the heading of a group is a row of its own."""
    sheet = sheet.shortened.printable
    cols = columns(sheet, grouped=True)
    align = "|" + "|".join("---:" if c.right else "---" for c in cols) + "|"
    end = [_line([c.total for c in cols])] if sheet.total is not None else []
    body: list[str] = []
    for i, heading in enumerate(sheet.headings()):
        if heading:
            body.append(f"| **{escape(heading)}** |" + " |" * (len(cols) - 1))
        body.append(_line([c.cells[i] for c in cols]))
    above = [f"**{escape(sheet.title)}**", ""] if sheet.title else []
    if sheet.caption.text:
        above += [escape(sheet.caption.text), ""]
    return (
        "\n".join(
            [
                *above,
                _line([c.header for c in cols]),
                align,
                *body,
                *end,
                "",
                *(f"- {escape(n)}" for n in sheet.notes),
            ]
        )
        + "\n"
    )


def _line(cells: Iterable[str]) -> str:
    """A row of a Markdown table."""
    return f"| {' | '.join(map(escape, cells))} |"


_STYLE = (
    ":root{color-scheme:light dark}body{font:14px/1.4 system-ui,sans-serif;margin:2rem}"
    "div{overflow-x:auto}\n"
    "table{border-collapse:collapse}caption{font-weight:600;text-align:left;padding:.3rem 0}\n"
    "caption p{font-weight:400}"
    "td,th{padding:.2rem .6rem;text-align:left;white-space:nowrap}"
    "th{white-space:normal;vertical-align:bottom}\n"
    ".n{text-align:right;font-variant-numeric:tabular-nums}"
    "thead,tfoot{border-block:1px solid}tr:target{outline:2px solid #0072b2}\n"
    ".b{background:linear-gradient(#0072b266,#0072b266) right/var(--w) 70% no-repeat}"
    "p{margin:.2rem 0;opacity:.8}"
)


_NOTEBOOK_STYLE = """.costlab td,.costlab th{text-align:left;white-space:nowrap}
.costlab th{white-space:normal;vertical-align:bottom}.costlab .n{text-align:right}
.costlab tfoot{border-top:1px solid}
.costlab .b{background:linear-gradient(#0072b266,#0072b266) right/var(--w) 70% no-repeat}"""


_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def html_page(sheet: Sheet) -> str:
    """One self-contained page, which runs and loads nothing."""
    sheet = sheet.shortened.printable
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{html.escape(sheet.title or sheet.caption.text)}</title><style>{_STYLE}</style>"
        f"<div>{_html_table(sheet, ids=True)}</div>{_html_notes(sheet)}</html>\n"
    )


def html_fragment(sheet: Sheet) -> str:
    """The table and its notes for a page that is there, such as a notebook."""
    sheet = sheet.shortened.printable
    return (
        f'<div class="costlab"><style>{_NOTEBOOK_STYLE}</style>'
        f"{_html_table(sheet, ids=False)}{_html_notes(sheet)}</div>"
    )


def _html_notes(sheet: Sheet) -> str:
    return "".join(f"<p>{html.escape(n)}</p>" for n in sheet.notes)


def _html_table(sheet: Sheet, *, ids: bool) -> str:
    cols = columns(sheet, grouped=True)
    anchors = [f' id="{html.escape(i)}"' for i in sheet.ids] if ids and sheet.ids else None
    body = "\n".join(
        _html_heading(heading, len(cols))
        + _html_row(cols, [c.cells[i] for c in cols], anchor=anchors[i] if anchors else "", index=i)
        for i, heading in enumerate(sheet.headings())
    )
    head = _html_row(cols, [c.header for c in cols], tag="th")
    end = _html_row(cols, [c.total for c in cols]) if sheet.total is not None else ""
    label = f' id="{html.escape(sheet.caption.label)}"' if sheet.caption.label else ""
    return (
        f"<table{label}>{_html_caption(sheet)}"
        f"<thead>{head}</thead><tbody>{body}</tbody>"
        f"{f'<tfoot>{end}</tfoot>' if end else ''}</table>"
    )


def _html_caption(sheet: Sheet) -> str:
    """The title, and below it what the author says of the table."""
    text = sheet.caption.text and f"<p>{html.escape(sheet.caption.text)}</p>"
    title = html.escape(sheet.title)
    return f"<caption>{title}{text}</caption>" if title or text else ""


def _html_heading(heading: str, width: int) -> str:
    """A row over all columns with the heading of a group; empty for the group's other rows."""
    if not heading:
        return ""
    return f'<tr><th colspan="{width}" scope="colgroup">{html.escape(heading)}</th></tr>\n'


def _html_row(
    cols: Iterable[Text],
    texts: Iterable[str],
    *,
    tag: str = "td",
    anchor: str = "",
    index: int | None = None,
) -> str:
    cells: list[str] = []
    for c, text in zip(cols, texts, strict=True):
        bar = f' style="--w:{100 * c.bars[index]:.1f}%"' if c.bars and index is not None else ""
        kind = " ".join(k for k, on in (("n", c.right), ("b", bar)) if on)
        kinds = f' class="{kind}"' if kind else ""
        cells.append(f"<{tag}{kinds}{bar}>{html.escape(text)}</{tag}>")
    return f"<tr{anchor}>{''.join(cells)}</tr>"
