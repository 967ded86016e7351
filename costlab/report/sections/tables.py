"""The network's table, and that of each other model."""

from __future__ import annotations

from ...render.document import Grid
from ...tables import table
from ..context import Context
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
        t = table(m.trace)
        found.append(Grid(t.sheet, f"{m.name} {_STYLES[t.style]}", ident, m is c.models[0]))
    return found
