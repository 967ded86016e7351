"""A diagram as DOT text, for Graphviz and for other tools that lay graphs out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...analysis.diagram import Diagram
from .drawing import tooltip
from .metrics import colors

if TYPE_CHECKING:
    from graphviz import Digraph


def dot(*diagrams: Diagram) -> str:
    """DOT text of diagrams, each in a cluster where there are several; the same for the same
    diagrams.

    Raises ModuleNotFoundError without the graphviz package."""
    from graphviz import Digraph

    graph = Digraph(
        "costlab",
        graph_attr={
            "rankdir": "BT" if diagrams[0].upward else "TB",
            "label": _text("; ".join(d.title for d in diagrams)),
            "labelloc": "t",
        },
        node_attr={
            "shape": "box",
            "style": "rounded,filled",
            "fontname": "DejaVu Sans",
            "fontsize": "10",
        },
        edge_attr={"arrowsize": "0.5", "fontname": "DejaVu Sans", "fontsize": "8"},
    )
    if len(diagrams) == 1:
        _add(graph, diagrams[0], "n")
        return graph.source
    for i, d in enumerate(diagrams):
        cluster = Digraph(f"cluster_{i}", graph_attr={"label": _text(d.title)})
        _add(cluster, d, f"n{i}_")
        graph.subgraph(cluster)
    return graph.source


def _add(graph: Digraph, d: Diagram, prefix: str) -> None:
    """The boxes and edges of `d`. A box is called by its number: a colon in a name would be read as
    a port."""
    most = max(map(d.share, d.boxes), default=0.0)
    names = {box.id: f"{prefix}{i}" for i, box in enumerate(d.boxes)}
    for box in d.boxes:
        fill, frame = colors(box, d, most)
        graph.node(
            names[box.id],
            _text(box.name),
            tooltip=_text(tooltip(box, d)),
            fillcolor=fill,
            color=frame,
        )
    for e in d.edges:
        graph.edge(names[e.source], names[e.target], _text(e.size))


def _text(words: str) -> str:
    """`words` as text, not as an escape or as markup; Graphviz fails on control characters."""
    from graphviz import escape

    return escape("".join(c if c.isprintable() else " " for c in words))
