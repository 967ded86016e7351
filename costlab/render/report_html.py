"""A document as one HTML file without network: a search, tables that sort, filter and expand, a
diagram that pans and zooms; diagram, table and charts select one another. Everything works by
keyboard; light and dark; prints well."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from .._text import shown_lines
from ..tables import MOST_ROWS
from . import notes
from .cells import Text as Cells
from .cells import columns
from .document import Document, Grid, Numbers, Part, Picture, Points, Ref, Section, Text

_ASSETS = Path(__file__).parent / "assets"
_LONG = 26  # letters of a cell; longer ones wrap
_UPRIGHT = 125  # letters of a row that a printed page takes upright


def esc(text: str) -> str:
    """Text as HTML shows it."""
    return html.escape(shown_lines(text))


def _words(text: Text, numbers: Mapping[str, str]) -> str:
    out: list[str] = []
    for part in text.parts:
        if not isinstance(part, Ref):
            out.append(esc(part))
        elif part.id in numbers:
            out.append(
                f'{esc(part.before)}<a href="#{esc(part.id)}">{numbers[part.id]}</a>'
                f"{esc(part.after)}"
            )
    return "".join(out)


def _grid(g: Grid, title: str) -> str:
    g = g.first(MOST_ROWS)
    cols, sheet = columns(g.sheet), g.sheet
    headers = _headers(cols)
    head = "".join(
        f'<th scope="col"{" class=n" if c.right else ""}>'
        f'<button type="button">{esc(header)}</button></th>'
        for c, header in zip(cols, headers, strict=True)
    )
    inside = _inside(g)
    names = sheet.ids or ("",) * len(sheet.rows)
    body = "".join(_row(g, cols, i) + inside.get(name, "") for i, name in enumerate(names))
    foot = (
        f"<tfoot><tr>{''.join(map(_total, cols))}</tr></tfoot>" if sheet.total is not None else ""
    )
    said = "".join(f'<p class="notes">{esc(n)}</p>' for n in sheet.notes)
    kind = " class=main" if g.main else ""
    turned = " turned" if _wide(g) else ""
    return (
        f'<div class="table{turned}">{_filter(g, title, headers)}<div class="scroll">'
        f'<table id="{esc(g.id)}"{kind}><caption>{title}: {esc(g.caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>{foot}</table></div>{said}</div>"
    )


def _headers(cols: Sequence[Cells]) -> list[str]:
    """The header of each column; a share says of what: "ops %"."""
    before = ("", *(c.header for c in cols))
    return [
        f"{of.split(' (')[0]} %" if c.bars else c.header
        for of, c in zip(before, cols, strict=False)
    ]


def _filter(g: Grid, title: str, headers: Sequence[str]) -> str:
    """The field that filters the rows of a table long enough for one, and what expands them all."""
    share = next((header for header in reversed(headers) if header.endswith(" %")), "")
    found = ""
    if len(g.sheet.rows) > 4:
        hint = f"filter rows, or {share} > 10" if share else "filter rows"
        found = (
            f'<input class="filter" data-for="{esc(g.id)}" type="search" '
            f'placeholder="{esc(hint)}" aria-label="filter the rows of {title}">'
        )
    if g.inside:
        found += '<button type="button" data-expand aria-pressed="false">expand all</button>'
    return f'<div class="find">{found}<span aria-live="polite"></span></div>' if found else ""


def _row(g: Grid, cols: Sequence[Cells], i: int) -> str:
    row, name = g.sheet.rows[i], g.sheet.ids[i] if g.sheet.ids else ""
    link = f' data-row="{esc(name)}" id="{esc("row:" + name)}"' if g.main and name else ""
    return f"<tr{link}>{_cells(g, cols, row, i)}</tr>"


def _inside(g: Grid) -> dict[str, str]:
    """The rows inside each row by its id, hidden until it is expanded; their bars are in the scale
    of the table."""
    count = len(g.sheet.rows)
    named = [(name, row) for name, rows in g.inside.items() for row in rows]
    cols = columns(replace(g.sheet, rows=(*g.sheet.rows, *(row for _, row in named))))
    found: dict[str, str] = {}
    for k, (name, row) in enumerate(named):
        line = f'<tr data-of="{esc(name)}" hidden>{_cells(g, cols, row, count + k)}</tr>'
        found[name] = found.get(name, "") + line
    return found


def _cells(g: Grid, cols: Sequence[Cells], row: Mapping[str, object], i: int) -> str:
    """The cells of the i-th row of `cols`, whose exact values are `row`."""
    exact = {c.header: c.key for c in g.sheet.columns}
    values = (float(c.cells[i] or 0) if c.bars else row.get(exact[c.header]) for c in cols)
    return "".join(_cell(c, i, value) for c, value in zip(cols, values, strict=True))


def _cell(c: Cells, i: int, value: object) -> str:
    """A cell; `data-v` is the exact value that the table sorts by."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    number = f' data-v="{value}"' if is_number else ""
    long = not c.right and len(c.cells[i]) > _LONG
    kinds = " ".join(k for k, on in (("n", c.right), ("bar", c.bars), ("long", long)) if on)
    kind = f' class="{kinds}"' if kinds else ""
    bar = ""
    if c.bars:
        width = f'style="--w:{c.bars[i]:.4f}"'
        bar = f"<i {width}></i><b {width}></b>"
    return f"<td{kind}{number}>{esc(c.cells[i])}{bar}</td>"


def _total(c: Cells) -> str:
    if c.bars:
        return f'<td class="n bar">{esc(c.total)}<b style="--w:0"></b><i></i></td>'
    return f"<td{' class=n' if c.right else ''}>{esc(c.total)}</td>"


def _wide(g: Grid) -> bool:
    return (
        sum(
            min(_LONG, max(map(len, (*c.cells, c.total, *c.header.split())), default=0))
            + 2
            + 8 * bool(c.bars)
            for c in columns(g.sheet)
        )
        > _UPRIGHT
    )


def _unique(svg: str, ident: str, links: Mapping[str, tuple[str, ...]]) -> str:
    """The SVG of the figure `ident` with ids that no other part of the page has. Linked boxes and
    bars say which rows of the main table are theirs."""

    def tag(found: re.Match[str]) -> str:
        words = re.sub(r'(\bid="|href="#|url\(#)(?=[^"\)])', rf"\g<1>{esc(ident)}-", found[0])
        shape = re.match(r'<g id="(?:bar:(\w+):)?([^"]*)"', found[0])
        rows = links.get(html.unescape(shape[2])) if shape else None
        if not shape or not rows:
            return words
        kind = f'data-bar="{shape[1]}"' if shape[1] else "data-node"
        return words.replace("<g ", f'<g {kind} data-rows="{esc(json.dumps(rows))}" ', 1)

    return re.sub(r"<[^>]*>", tag, svg)


def _interactive(svg: str) -> str:
    """An SVG whose blocks are buttons, which an image would hide."""
    return svg.replace('role="img"', 'role="group"', 1)


def _opened(p: Picture) -> str:
    """What the page shows instead of a diagram when a block is opened: a template for each block,
    by the id of its box."""
    return "".join(
        f'<template data-block="{esc(b.box)}">'
        f"{_interactive(_unique(b.svg, p.id, b.links))}</template>"
        for b in p.opened()
    )


def _picture(p: Picture, title: str) -> str:
    drawn, opened = _unique(p.svg, p.id, p.links), _opened(p)
    if p.links or opened:
        drawn = _interactive(drawn)
    if p.diagram:
        hints = ["drag to move", "pinch or Ctrl + wheel to zoom"]
        hints += ["click a block to find it in the table"] if p.links else []
        hints += ["+ opens a block in place"] if opened else []
        hint = ", ".join(hints)
        drawn = (
            '<div class="tools"><button type="button">zoom in</button>'
            '<button type="button">zoom out</button><button type="button">whole</button>'
            f"<span>{hint}</span></div>"
            f'<div class="pan diagram{" linked" if p.links else ""}" tabindex="0" role="group" '
            'aria-label="block diagram: arrows move, plus and minus zoom, 0 shows all">'
            f"{drawn}</div>{opened}"
        )
    else:
        if "role=" not in drawn[:200]:
            drawn = drawn.replace("<svg ", f'<svg role="img" aria-label="{esc(p.alt)}" ', 1)
        drawn = f'<div class="picture{" linked" if p.links else ""}">{drawn}</div>'
    caption = f"<figcaption>{title}: {esc(p.caption)}</figcaption>"
    return f'<figure id="{esc(p.id)}">{drawn}{caption}</figure>'


_PANEL = (
    '<aside id="picked" aria-live="polite" aria-label="selected block" hidden><b></b><span></span>'
    '<button type="button" data-go="table">table</button>'
    '<button type="button" data-go="diagram">diagram</button>'
    '<button type="button" data-go="chart">chart</button>'
    '<button type="button" data-open>expand</button>'
    '<button type="button" data-copy>copy link</button>'
    '<button type="button" data-clear>clear</button></aside>'
)


_SEARCH = (
    '<div class="search"><input id="search" type="search" placeholder="search blocks, layers, '
    'sections (/)" aria-label="search the report"><div id="hits" aria-live="polite"></div></div>'
)


def page(document: Document) -> str:
    """The HTML file."""
    numbers = document.numbers
    body = "".join(_section(section, numbers) for section in document.sections)
    nav = "".join(f'<a href="#section-{esc(s.id)}">{esc(s.title)}</a>' for s in document.sections)
    style, script = (
        (_ASSETS / f"report.{kind}").read_text(encoding="utf-8") for kind in ("css", "js")
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(script)}">'
        f'<meta name="generator" content="costlab document {document.digest}">'
        f'<title>{esc(document.title)}</title><link rel="icon" href="data:,">'
        f"<style>{style}</style></head><body>"
        f'<a class="skip" href="#section-{esc(document.sections[0].id)}">to the content</a>'
        f"{_logo(document)}<h1>{esc(document.title)}</h1>"
        f'<p class="sub">{esc(document.subtitle)}</p><nav aria-label="contents">{nav}</nav>'
        f"{_SEARCH}"
        f"<main>{body}</main>{_PANEL}<script>{script}</script></body></html>\n"
    )


def _policy(script: str) -> str:
    """The page runs its own script alone, and loads nothing: pictures are in it."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _logo(document: Document) -> str:
    if not document.logo:
        return ""
    data, suffix = document.logo
    kind = {".svg": "svg+xml", ".png": "png"}.get(suffix, "jpeg")
    text = base64.b64encode(data).decode()
    return f'<img alt="logo" height="60" src="data:image/{kind};base64,{text}">'


def _section(section: Section, numbers: Mapping[str, str]) -> str:
    head = f'<section id="section-{esc(section.id)}"><h2>{esc(section.title)}</h2>'
    return f"{head}{''.join(_part(part, numbers) for part in section.parts)}</section>"


def _part(part: Part, numbers: Mapping[str, str]) -> str:
    if isinstance(part, Text):
        if part.markdown:
            return notes.to_html("".join(map(str, part.parts)))
        return f"<p>{_words(part, numbers)}</p>"
    if isinstance(part, Points):
        return f"<ul>{''.join(f'<li>{_words(t, numbers)}</li>' for t in part.items)}</ul>"
    if isinstance(part, Numbers):
        items = "".join(f"<div><b>{esc(v)}</b>{esc(w)}</div>" for v, w in part.items)
        return f'<div class="numbers">{items}</div>'
    if isinstance(part, Grid):
        return _grid(part, numbers[part.id])
    return _picture(part, numbers[part.id])
