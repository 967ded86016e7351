"""The network's structure: as blocks, as a table, and as its paper prints it."""

from __future__ import annotations

from ....reference.printed import tables_of
from ....render.document import Grid
from ....tables import table
from ...context import Context
from ...inside import layers_inside
from ...pieces import Block
from ..audit import audits
from ..diagrams import diagrams
from .pictures import printed


def architecture(c: Context) -> list[Block]:
    """The diagram, the table from the trace, and the printed one, audited."""
    traced = table(c.first, "paper", "paper")
    return [
        *diagrams(c),
        *(printed(paper, "printed") for paper in tables_of("googlenet")),
        Grid(
            traced.sheet,
            "The same network in the format and convention of Table 1, from a trace",
            "network",
            True,
            layers_inside(c.first, traced),
        ),
        *audits(c),
    ]
