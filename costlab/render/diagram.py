"""Diagrams in, DOT, SVG, PNG or PDF out. Laid out by graphviz-pure, so no system package is needed
and the bytes are the same
everywhere. No arithmetic on costs."""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
import sysconfig
from dataclasses import replace

from ..analysis.diagram import Diagram
from ..cost import Convention
from .charts import milliseconds

# Okabe and Ito's colours as light fills with their full colour as the frame and the bar
_COLORS = {
    "conv": ("#E3F0F8", "#0072B2"),
    "transposed conv": ("#E3F0F8", "#0072B2"),
    "linear": ("#FBF0DC", "#C27C00"),
    "pool": ("#FBE5DA", "#D55E00"),
    "cat": ("#E0F3EC", "#009E73"),
    "join": ("#F7E7F0", "#B5588F"),
    "": ("#F0F0F0", "#6B6B6B"),
}
_FONT = "Arial"
_FAMILY = "Arial, Helvetica, 'Liberation Sans', Arimo, sans-serif"
_GAP = '<TD WIDTH="7"></TD>'  # keeps text off the frame
_COLUMN = 11  # blocks in a column: what fits an A4 page at full size
_BAR = 110  # points, for all of the network's MACs


def _esc(text: str) -> str:
    """For an HTML-like label: markup escaped, everything beyond ASCII as an entity, long lines cut
    into two."""
    return "".join(c if ord(c) < 128 else f"&#{ord(c)};" for c in html.escape(str(text)))


def _fold(line: str, width: int = 42) -> list[str]:
    parts, lines = re.findall(r"\S+\s*", line) or [""], [""]
    for part in parts:
        while len(part) > width:
            lines.append(part[:width])
            part = part[width:]
        if lines[-1] and len((lines[-1] + part).rstrip()) > width:
            lines.append("")
        lines[-1] += part
    return [text.rstrip() for text in lines if text.strip()]


def _color(kind):
    return _COLORS.get(kind) or _COLORS["pool" if kind.endswith("pool") else ""]


def _label(box, convention: Convention) -> str:
    fill, frame = _color(box.kind)
    head = _fold(box.lines[0])
    if box.times > 1:
        head[-1] += f" x {box.times}"
    rows = [f"<TR>{_GAP}<TD><B>{_esc(text)}</B></TD>{_GAP}</TR>" for text in head]
    rows += [
        f'<TR>{_GAP}<TD><FONT POINT-SIZE="9">{_esc(text)}</FONT></TD>{_GAP}</TR>'
        for line in box.lines[1:]
        for text in _fold(line)
    ]
    params, macs = convention.spell_params(box.params), convention.spell_ops(box.macs)
    said = [f"{params} params, {macs} MACs"] if box.params or box.macs else []
    said += [f"{milliseconds(box.seconds)} ms"] if box.seconds else []
    if said:
        rows.append(f'<TR>{_GAP}<TD><FONT POINT-SIZE="9">{", ".join(said)}</FONT></TD>{_GAP}</TR>')
    if box.share >= 0.005:
        length = max(1, round(_BAR * min(1, box.share)))
        rows.append(
            f'<TR>{_GAP}<TD ALIGN="LEFT" CELLPADDING="0"><TABLE BORDER="0" CELLBORDER="0" '
            f'CELLSPACING="0" CELLPADDING="0"><TR>'
            f'<TD FIXEDSIZE="TRUE" WIDTH="{length}" HEIGHT="5" BGCOLOR="{frame}"></TD>'
            f"<TD> <FONT "
            f'POINT-SIZE="8">{100 * box.share:.1f}%</FONT></TD></TR></TABLE></TD>{_GAP}</TR>'
            '<TR><TD HEIGHT="2"></TD></TR>'
        )
    return (
        f'<<TABLE BORDER="1" COLOR="{frame}" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1" '
        f'BGCOLOR="{fill}" STYLE="ROUNDED">{"".join(rows)}</TABLE>>'
    )


def _quote(text):
    return '"' + str(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _body(d: Diagram, prefix: str = "", indent: str = "  ") -> list[str]:
    lines = []
    frames: dict[str, list] = {}
    for box in d.boxes:
        node = (
            f"{indent}{_quote(prefix + box.id)} [id={_quote(prefix + box.id)} "
            f"tooltip={_quote(', '.join(box.lines))} label={_label(box, d.convention)}];"
        )
        frames.setdefault(box.group, []).append(node)
    names = dict(d.groups)
    for group, nodes in frames.items():
        if group:
            lines += [
                f"{indent}subgraph {_quote('cluster_' + prefix + group)} {{",
                f'{indent}  label=<{_esc(names.get(group, group))}>; color="#AAAAAA"; '
                f"style=rounded; fontsize=10;",
                *(f"  {n}" for n in nodes),
                f"{indent}}}",
            ]
        else:
            lines += nodes
    column = _columns(d)
    for a, b in d.edges:
        across = " [constraint=false tailport=e headport=w]" if column[a] != column[b] else ""
        lines.append(f"{indent}{_quote(prefix + a)} -> {_quote(prefix + b)}{across};")
    return lines


def _columns(d: Diagram) -> dict[str, int]:
    """A long way from first to last block is folded into columns of one page's height, left to
    right; what branches off (a head)
    stays in the column that it branches off from."""
    feeders: dict[str, list[str]] = {}
    for a, b in d.edges:
        feeders.setdefault(b, []).append(a)
    length: dict[str, int] = {}
    for box in d.boxes:
        length[box.id] = 1 + max((length.get(f, 0) for f in feeders.get(box.id, ())), default=0)
    at, way = max(length, key=length.__getitem__, default=None), []
    while at:
        way.insert(0, at)
        # a module that is called again feeds back: only forward steps count
        at = max(
            (f for f in feeders.get(at, ()) if length.get(f, length[at]) < length[at]),
            key=length.__getitem__,
            default=None,
        )
    n = len(way)
    if d.groups or d.upward or n <= _COLUMN + 1:
        return dict.fromkeys(length, 0)
    tall = -(-n // -(-n // _COLUMN))
    column = {name: i // tall for i, name in enumerate(way)}
    for box in d.boxes:
        column.setdefault(
            box.id, max((column.get(f, 0) for f in feeders.get(box.id, ())), default=0)
        )
    return column


_GRAPH = f"fontname={_FONT} fontsize=12 nodesep=0.18 ranksep=0.28 pad=0.1 labelloc=t labeljust=l"


def _head(d: Diagram):
    lines = [
        f"<B>{_esc(d.title)}</B>",
        *(f'<FONT POINT-SIZE="9">{_esc(n)}</FONT>' for n in d.notes),
    ]
    rows = "".join(f'<TR><TD ALIGN="LEFT">{line}</TD></TR>' for line in lines)
    return (
        f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">{rows}<TR><TD '
        f'HEIGHT="5"></TD></TR></TABLE>>'
    )


def dot(d: Diagram) -> str:
    """DOT text, the same for the same diagram."""
    direction = "BT" if d.upward else "TB"
    return (
        "\n".join(
            [
                "digraph costlab {",
                f"  graph [{_GRAPH} rankdir={direction} label={_head(d)}];",  # noqa: F541
                f"  node [shape=plain fontname={_FONT} fontsize=10]; edge [arrowsize=0.5 "
                f'color="#555555"];',
                *_body(d),
                "}",
            ]
        )
        + "\n"
    )


def side_by_side(diagrams) -> str:
    """DOT text of several diagrams in frames, left to right."""
    direction = "BT" if diagrams[0].upward else "TB"
    lines = [
        "digraph costlab {",
        f"  graph [{_GRAPH} rankdir={direction}];",
        f'  node [shape=plain fontname={_FONT} fontsize=10]; edge [arrowsize=0.5 color="#555555"];',
    ]
    for i, d in enumerate(diagrams):
        lines += [
            f"  subgraph cluster_{i} {{",
            f'    label={_head(d)}; color="#CCCCCC"; style=rounded; fontsize=11;',
            *_body(d, f"{i}/", "    "),
            "  }",
        ]
    return "\n".join([*lines, "}"]) + "\n"


def pair(before: Diagram, after: Diagram) -> str:
    """DOT text of two diagrams side by side, before and after."""
    return side_by_side(
        [
            replace(before, title=f"before: {before.title}"),
            replace(after, title=f"after: {after.title}"),
        ]
    )


def _engine() -> str:
    """The graphviz-pure binary that pip put beside this Python. Raises ModuleNotFoundError when it
    is not installed."""
    name = "graphviz-pure" + (".exe" if os.name == "nt" else "")
    for home in (sysconfig.get_path("scripts"), os.path.dirname(sys.executable)):
        if os.path.exists(os.path.join(home, name)):
            return os.path.join(home, name)
    import shutil

    found = shutil.which(name)
    if not found:
        raise ModuleNotFoundError("no graphviz-pure", name="graphviz-pure")
    return found


def _lay_out(text: str, format: str) -> bytes:
    import graphviz
    from graphviz.backend import dot_command

    engine = _engine()
    command = dot_command.command(
        "dot", format
    )  # the graphviz package's own command line, with another program
    return (
        subprocess.run(
            [engine, *map(str, command[1:])], input=text.encode(), capture_output=True, check=True
        ).stdout
        if graphviz
        else b""
    )


def svg(text: str, alt: str) -> str:
    """DOT to SVG with a role, a title and alternative text; the font has fallbacks of the same
    widths."""
    out = _lay_out(text, "svg").decode()
    out = out[out.index("<svg") :]
    out = out.replace(f'font-family="{_FONT}"', f'font-family="{_FAMILY}"')
    out = re.sub(r"<!--.*?-->\n?", "", out, flags=re.S)
    label = html.escape(alt, quote=True)
    out = out.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)
    return out.replace(">\n", f">\n<desc>{html.escape(alt)}</desc>\n", 1)


def picture(text: str, alt: str, format: str) -> bytes:
    """DOT text as `format`: dot, svg, png or pdf.

    Raises ModuleNotFoundError without graphviz and graphviz-pure (for pdf also typst and
    matplotlib, for its fonts)."""
    if format == "dot":
        return text.encode()
    if format == "png":
        return _lay_out(text.replace("graph [", "graph [dpi=150 ", 1), "png")
    drawn = svg(text, alt)
    if format == "svg":
        return drawn.encode()
    from .typeset import page

    return page(drawn, alt)
