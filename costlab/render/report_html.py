"""A document as one HTML file without network: tables sort and filter, the diagram pans and zooms, and diagram, table and charts
select one another. Everything works by keyboard; light and dark; prints well."""

from __future__ import annotations

import base64
import html
import re
from pathlib import Path

from . import notes
from .cells import columns
from .document import Document, Grid, Numbers, Picture, Points, Ref, Text

_ASSETS = Path(__file__).parent / "assets"
_LONG = 26  # letters of a cell; longer ones wrap
_UPRIGHT = 125  # letters of a row that a printed page takes upright
esc = html.escape


def _words(text: Text, numbers) -> str:
    out = []
    for part in text.parts:
        if not isinstance(part, Ref):
            out.append(esc(part))
        elif part.id in numbers:
            out.append(
                f'{esc(part.before)}<a href="#{esc(part.id)}">{numbers[part.id]}</a>{esc(part.after)}'
            )
    return "".join(out)


def _grid(g: Grid, title: str) -> str:
    cols, sheet = columns(g.sheet), g.sheet
    exact = {c.header: c.key for c in sheet.columns}
    head = "".join(
        f'<th scope="col"{" class=n" if c.right else ""}><button type="button">{esc(c.header)}</button></th>'
        for c in cols
    )
    body = []
    for i, row in enumerate(sheet.rows):
        name = sheet.ids[i] if sheet.ids else ""
        link = f' data-row="{esc(name)}" id="{esc("row:" + name)}"' if g.main and name else ""
        cells = []
        for c in cols:
            value = float(c.cells[i] or 0) if c.bars else row.get(exact[c.header])
            number = (
                f' data-v="{value}"'
                if isinstance(value, (int, float)) and not isinstance(value, bool)
                else ""
            )
            kinds = " ".join(
                k
                for k, on in (
                    ("n", c.right),
                    ("bar", c.bars),
                    ("long", not c.right and len(c.cells[i]) > _LONG),
                )
                if on
            )
            bar = (
                f'<i style="--w:{c.bars[i]:.4f}"></i><b style="--w:{c.bars[i]:.4f}"></b>'
                if c.bars
                else ""
            )
            cells.append(
                f"<td{f' class={chr(34)}{kinds}{chr(34)}' if kinds else ''}{number}>{esc(c.cells[i])}{bar}</td>"
            )
        body.append(f"<tr{link}>{''.join(cells)}</tr>")
    foot = ""
    if sheet.total is not None:
        gap = '<b style="--w:0"></b>'
        foot = (
            "<tfoot><tr>"
            + "".join(
                f"<td{' class=' + chr(34) + 'n bar' + chr(34) if c.bars else ' class=n' if c.right else ''}>{esc(c.total)}{gap + '<i></i>' if c.bars else ''}</td>"
                for c in cols
            )
            + "</tr></tfoot>"
        )
    notes = "".join(f'<p class="notes">{esc(n)}</p>' for n in sheet.notes)
    hint = "filter rows, or ops > 100M" if g.main else "filter rows"
    find = (
        f'<div class="find"><input class="filter" data-for="{esc(g.id)}" type="search" placeholder="{hint}" aria-label="filter the rows of {title}">'
        '<span aria-live="polite"></span></div>'
        if len(sheet.rows) > 4
        else ""
    )
    return (
        f'{find}<div class="scroll"><table id="{esc(g.id)}"{" class=main" if g.main else ""}><caption>{title}: {esc(g.caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody>{foot}</table></div>{notes}"
    )


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


def _unique(p: Picture) -> str:
    """The SVG with ids that no other part of the page has. In a linked picture nodes and bars say which row of the main table is theirs."""

    def tag(found):
        words = re.sub(r'(\bid="|href="#|url\(#)(?=[^"\)])', rf"\g<1>{esc(p.id)}-", found[0])
        bar = re.match(r'<g id="bar:(\w+):([^"]*)"', found[0])
        node = re.match(r'<g id="([^"/]*)[^"]*" class="node"', found[0])
        kind, row = ("bar", bar[2]) if bar else ("node", node[1]) if node else ("", "")
        return (
            words.replace("<g ", f'<g data-{kind}="{bar[1] if bar else ""}" data-row="{row}" ', 1)
            if kind and p.linked
            else words
        )

    return re.sub(r"<[^>]*>", tag, p.svg)


def _picture(p: Picture, title: str) -> str:
    drawn = _unique(p)
    if p.linked:  # its blocks are buttons, which an image would hide
        drawn = drawn.replace('role="img"', 'role="group"', 1)
    if p.diagram:
        hint = "drag to move, pinch or Ctrl + wheel to zoom" + (
            ", click a block to find it in the table" if p.linked else ""
        )
        drawn = (
            '<div class="tools"><button type="button">zoom in</button><button type="button">zoom out</button><button type="button">whole</button>'
            f'<span>{hint}</span></div><div class="pan diagram{" linked" if p.linked else ""}" tabindex="0" role="group" '
            f'aria-label="block diagram: arrows move, plus and minus zoom, 0 shows all">{drawn}</div>'
        )
    else:
        if "role=" not in drawn[:200]:
            drawn = drawn.replace("<svg ", f'<svg role="img" aria-label="{esc(p.alt)}" ', 1)
        drawn = f'<div class="picture{" linked" if p.linked else ""}">{drawn}</div>'
    return f'<figure id="{esc(p.id)}">{drawn}<figcaption>{title}: {esc(p.caption)}</figcaption></figure>'


_PANEL = (
    '<aside id="picked" aria-live="polite" aria-label="selected block" hidden><b></b><span></span><button type="button" data-go="table">table</button>'
    '<button type="button" data-go="diagram">diagram</button><button type="button" data-go="chart">chart</button><button type="button" data-copy>copy link</button>'
    '<button type="button" data-clear>clear</button></aside>'
)


def page(document: Document) -> str:
    """The HTML file."""
    out, numbers = [], document.numbers
    for section in document.sections:
        turned = (
            ' class="turned"' if any(_wide(p) for p in section.parts if isinstance(p, Grid)) else ""
        )
        out.append(f'<section id="section-{esc(section.id)}"{turned}><h2>{esc(section.title)}</h2>')
        for part in section.parts:
            if isinstance(part, Text):
                out.append(
                    notes.to_html(part.words)
                    if part.markdown
                    else f"<p>{_words(part, numbers)}</p>"
                )
            elif isinstance(part, Points):
                out.append(
                    "<ul>" + "".join(f"<li>{_words(t, numbers)}</li>" for t in part.items) + "</ul>"
                )
            elif isinstance(part, Numbers):
                out.append(
                    '<div class="numbers">'
                    + "".join(f"<div><b>{esc(v)}</b>{esc(w)}</div>" for v, w in part.items)
                    + "</div>"
                )
            elif isinstance(part, Grid):
                out.append(_grid(part, numbers[part.id]))
            else:
                out.append(_picture(part, numbers[part.id]))
        out.append("</section>")
    nav = "".join(f'<a href="#section-{esc(s.id)}">{esc(s.title)}</a>' for s in document.sections)
    logo = ""
    if document.logo:
        kind = {".svg": "svg+xml", ".png": "png"}.get(document.logo[1], "jpeg")
        logo = f'<img alt="logo" height="60" src="data:image/{kind};base64,{base64.b64encode(document.logo[0]).decode()}">'
    style, script = (
        (_ASSETS / f"report.{kind}").read_text(encoding="utf-8") for kind in ("css", "js")
    )
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta name="generator" content="costlab document {document.digest}">'
        f'<title>{esc(document.title)}</title><link rel="icon" href="data:,"><style>{style}</style></head><body><a class="skip" href="#section-{esc(document.sections[0].id)}">'
        f'to the content</a>{logo}<h1>{esc(document.title)}</h1><p class="sub">{esc(document.subtitle)}</p><nav aria-label="contents">{nav}</nav>'
        f"<main>{''.join(out)}</main>{_PANEL}<script>{script}</script></body></html>\n"
    )
