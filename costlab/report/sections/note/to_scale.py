"""Networks to one scale."""

from __future__ import annotations

from ....analysis.compare import compare
from ....analysis.illustrations import towers
from ....render import charts
from ....render.document import Grid
from ...context import Context
from ...pieces import Block, chart

_NETWORKS = ("alexnet", "vgg16", "googlenet")


def to_scale(c: Context) -> list[Block]:
    """AlexNet, VGG-16 and GoogLeNet side by side."""
    traces = [c.find(name) for name in _NETWORKS]
    found = towers(traces)
    return [
        chart(
            charts.towers,
            found,
            id="towers",
            caption="Three networks to one scale, from the input up",
            alt="; ".join(found.sheet.notes),
        ),
        Grid(
            compare([*traces[::-1]]).sheet,
            "The same networks, then stage by stage on grids of the same stride",
            "to-scale-table",
        ),
    ]
