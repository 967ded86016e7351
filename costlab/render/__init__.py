"""A Table in, text out. One function a format in the registry; no arithmetic on costs beyond units and shares."""
from __future__ import annotations

import csv
import html
import io
import json
import re

from ..tables import Table

BAR = 8


def _number(value: int, unit: int, letter: str) -> str:
    if not value:
        return ""
    scaled = value / unit
    return f"{scaled:.2f}{letter}" if scaled < 10 else f"{scaled:.1f}{letter}"


def cells(table: Table):
    """Header and body strings, with the share of the total beside params and ops, then the total row."""
    conv = table.convention
    header = []
    for c in table.columns:
        header += [c.key, "%"] if c.unit == "params" else [f"{c.key} (MACs)", "%"] if c.unit else [c.key]

    def tail(params, macs):
        share = lambda v, w: f"{100 * v / w:.1f}" if v and w else ""  # noqa: E731
        return [_number(params, conv.kilo, "K"), share(params, table.params), _number(macs, conv.mega, "M"), share(macs, table.macs)]

    text = [c.key for c in table.columns if not c.unit]
    body = [[str(r.cells.get(k, "")) for k in text] + tail(r.params, r.macs) for r in table.rows]
    return header, body, ["total", *[""] * (len(text) - 1), *tail(table.params, table.macs)]


def plain(table: Table) -> str:
    """Aligned text for a pipe."""
    header, body, end = cells(table)
    rows = [header, *body, end]
    widths = [max(len(r[i]) for r in rows) for i in range(len(header))]
    right = [i > 1 for i in range(len(header))]
    line = lambda r: "  ".join(c.rjust(w) if rt else c.ljust(w) for c, w, rt in zip(r, widths, right)).rstrip()  # noqa: E731
    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    return "\n".join([table.title, line(header), rule, *map(line, body), rule, line(end), *table.notes]) + "\n"


def markdown(table: Table) -> str:
    """A GitHub table and the notes."""
    header, body, end = cells(table)
    esc = lambda s: re.sub(r"([\\|`*_<>\[\]])", r"\\\1", s).replace("#", "\\#")  # noqa: E731
    line = lambda r: "| " + " | ".join(map(esc, r)) + " |"  # noqa: E731
    align = "|" + "|".join("---" if i < 2 else "---:" for i in range(len(header))) + "|"
    return "\n".join([f"**{esc(table.title)}**", "", line(header), align, *map(line, body), line(end), "",
                      *(f"- {esc(n)}" for n in table.notes)]) + "\n"


_TEX = {"\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
        "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}"}


def latex(table: Table) -> str:
    """A complete document with a booktabs table; compiles as it is."""
    esc = lambda s: "".join(_TEX.get(c, c) for c in s)  # noqa: E731
    header, body, end = cells(table)
    line = lambda r: " & ".join(map(esc, r)) + r" \\"  # noqa: E731
    spec = "".join("l" if i < 2 else "r" for i in range(len(header)))
    return "\n".join([r"\documentclass{article}", r"\usepackage[a4paper,landscape,margin=1cm]{geometry}",
                      r"\usepackage{booktabs,graphicx}", r"\begin{document}", r"\begin{table}", r"\centering",
                      rf"\caption{{{esc(table.title)}. {esc('. '.join(table.notes))}.}}", r"\resizebox{\textwidth}{!}{%",
                      rf"\begin{{tabular}}{{{spec}}}", r"\toprule", line(header), r"\midrule", *map(line, body), r"\midrule",
                      line(end), r"\bottomrule", r"\end{tabular}}", r"\end{table}", r"\end{document}"]) + "\n"


def html_page(table: Table) -> str:
    """One self-contained page."""
    esc = html.escape
    header, body, end = cells(table)
    row = lambda r, tag, ident="": f"<tr{ident}>" + "".join(f"<{tag}>{esc(c)}</{tag}>" for c in r) + "</tr>"  # noqa: E731
    style = ("body{font:14px system-ui,sans-serif;margin:2rem}table{border-collapse:collapse}td,th{padding:.25rem .6rem;"
             "text-align:right}td:first-child,th:first-child{text-align:left}thead,tfoot{border-block:1px solid}")
    return (f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{esc(table.title)}</title><style>{style}</style>'
            f"<table><caption>{esc(table.title)}</caption><thead>{row(header, 'th')}</thead><tbody>"
            + "\n".join(row(b, "td", f' id="{esc(r.id)}"') for b, r in zip(body, table.rows))
            + f"</tbody><tfoot>{row(end, 'td')}</tfoot></table>" + "".join(f"<p>{esc(n)}</p>" for n in table.notes) + "</html>\n")


def _records(table: Table):
    text = [c.key for c in table.columns if not c.unit]
    return [{"id": r.id, **{k: r.cells.get(k, "") for k in text}, "params (elements)": r.params, "ops (MACs)": r.macs}
            for r in table.rows]


def csv_text(table: Table) -> str:
    """Exact integers, the notes as comment lines at the end."""
    out = io.StringIO()
    rows = _records(table)
    writer = csv.DictWriter(out, list(rows[0]) if rows else ["id"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue() + "".join(f"# {n}\n" for n in table.notes)


def json_text(table: Table) -> str:
    """Exact integers with the convention and the notes."""
    return json.dumps({"title": table.title, "style": table.style, "convention": table.convention.name, "notes": table.notes,
                       "rows": _records(table), "total": {"params (elements)": table.params, "ops (MACs)": table.macs}},
                      indent=2) + "\n"


FORMATS = {"text": plain, "md": markdown, "latex": latex, "html": html_page, "csv": csv_text, "json": json_text}
