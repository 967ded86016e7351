"""The network's table, and that of each other model."""

from __future__ import annotations

from ...render.document import Grid
from ..context import Context
from ..inside import layers_inside
from ..pieces import Block

_STYLES = {
    "paper": "in the format of GoogLeNet's Table 1",
    "resnet": "in the format of the residual networks' table",
    "layers": "by module",
}


def tables(c: Context) -> list[Block]:
    """A table a model; the first one's rows are what the diagram and charts link to."""
    found: list[Block] = []
    for m, ident in c.idents("network"):
        t = m.table
        first = m is c.models[0]
        inside = layers_inside(m.trace, t) if first else {}
        found.append(Grid(t.sheet, f"{m.name} {_STYLES[t.style]}", ident, first, inside))
    return found
