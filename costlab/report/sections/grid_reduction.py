"""Four ways to shrink a grid."""

from __future__ import annotations

from collections.abc import Sequence

from ...analysis.diagram import modules
from ...analysis.grid import Scheme, grid
from ...analysis.savings import grid_savings
from ...cost import short
from ...render import charts
from ...render.document import Grid, Picture, Ref, Text
from ..context import Context
from ..pieces import Block, chart, drawn_together, listed
from ..saved_time import saved_time


def grid_reduction(c: Context) -> list[Block]:
    """What each scheme costs and narrows, drawn, and what that is in time."""
    found = grid()
    spoken = "; ".join(f"{s.name} {short(s.macs)}" for s in found.schemes)
    pairs = range(0, len(found.schemes), 2)  # two beside each other stay readable
    return [
        Text(
            (
                "Four ways from 35x35x320 to 17x17x640",
                Ref("schemes"),
                ", each traced",
                Ref("schemes-chart"),
                ". Pooling first is cheap, but all data must pass a narrow place; convolving first "
                "is expensive; both in parallel is cheap and has no narrow place.",
            )
        ),
        Grid(found.sheet, "Four ways from 35x35x320 to 17x17x640", "schemes"),
        chart(
            charts.grid,
            found,
            id="schemes-chart",
            caption="MACs of each scheme",
            alt=f"Bars of MACs: {spoken}",
        ),
        *(_drawn(found.schemes[i : i + 2], f"schemes-drawn-{i // 2 + 1}") for i in pairs),
        *saved_time(grid_savings(c.runs), "schemes-measured"),
    ]


def _drawn(schemes: Sequence[Scheme], ident: str) -> Picture:
    diagrams = modules([("", s.trace) for s in schemes])
    alt = "; ".join(d.alt for d in diagrams)
    return drawn_together(diagrams, alt, id=ident, caption=listed(s.name for s in schemes))
