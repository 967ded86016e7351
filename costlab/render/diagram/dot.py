"""A diagram as DOT text, for Graphviz and for other tools that lay graphs out."""

from __future__ import annotations

from ...analysis.diagram import Diagram
from .drawing import tooltip
from .metrics import colors


def dot(*diagrams: Diagram) -> str:
    """DOT text of diagrams, each in a cluster where there are several; the same for the same
    diagrams."""
    rank = "BT" if diagrams[0].upward else "TB"
    body: list[str] = []
    for i, d in enumerate(diagrams):
        prefix = f"{i}/" if len(diagrams) > 1 else ""
        lines = _body(d, prefix)
        if prefix:
            head = [f"subgraph cluster_{i} {{", f"  label={_quote(d.title)};"]
            lines = [*head, *(f"  {line}" for line in lines), "}"]
        body += lines
    title = "; ".join(d.title for d in diagrams)
    return "\n".join(
        [
            "digraph costlab {",
            f"  graph [rankdir={rank} label={_quote(title)} labelloc=t];",
            '  node [shape=box style="rounded,filled" fontname="DejaVu Sans" fontsize=10];',
            '  edge [arrowsize=0.5 fontname="DejaVu Sans" fontsize=8];',
            *(f"  {line}" for line in body),
            "}\n",
        ]
    )


def _body(d: Diagram, prefix: str) -> list[str]:
    most = max(map(d.share, d.boxes), default=0.0)
    lines = []
    for box in d.boxes:
        fill, frame = colors(box, d, most)
        lines.append(
            f"{_quote(prefix + box.id)} [label={_quote(box.name)} tooltip="
            f'{_quote(tooltip(box, d))} fillcolor="{fill}" color="{frame}"];'
        )
    lines += [
        f"{_quote(prefix + e.source)} -> {_quote(prefix + e.target)} [label={_quote(e.size)}];"
        for e in d.edges
    ]
    return lines


def _quote(words: str) -> str:
    return '"' + words.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'
