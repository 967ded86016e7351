"""1x1 convolutions."""

from __future__ import annotations

from ....analysis.illustrations import mixing
from ....render import charts
from ....render.document import Grid
from ...context import Context
from ...pieces import Block, chart


def pointwise(c: Context) -> list[Block]:
    """Four maps to two, weight by weight."""
    found = mixing()
    return [
        chart(
            charts.mixing,
            found,
            id="mixing",
            caption="A 1x1 convolution from four maps to two: a linear layer at each position",
            alt=f"{found.c_in} maps, each joined to {found.c_out} at one position",
        ),
        Grid(found.sheet, "A 1x1 convolution and a linear layer", "mixing-table"),
    ]
